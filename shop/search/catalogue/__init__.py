"""How products come in, stay in step with their source, and get into the index of words."""
