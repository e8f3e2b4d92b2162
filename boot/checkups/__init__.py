"""What `backroom doctor` looks at: servers, settings, and everybody outside whom the shop depends on."""
