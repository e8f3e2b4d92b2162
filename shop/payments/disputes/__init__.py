"""Payments that a bank takes back or asks about, and what we answer."""
