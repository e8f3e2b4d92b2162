"""Searches counted by day, so that a year of them is read at once."""
