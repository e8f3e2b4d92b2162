"""Numbered plain SQL files and the few lines of Alembic that run them."""
