"""Routes of the catalogue, searches and recommendations."""
