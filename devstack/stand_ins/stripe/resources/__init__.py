"""The resources of the API, one file each, every file with its table of routes."""
