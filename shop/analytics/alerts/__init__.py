"""Tells people, once for each incident, what is out of the ordinary."""
