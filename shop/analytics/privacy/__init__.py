"""What a person may ask for: a copy, and to be forgotten."""
