"""How fast search is as the catalogue grows: through HTTP, inside the server, and what it stands on."""
