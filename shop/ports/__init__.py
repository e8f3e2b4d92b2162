"""What the shop expects of the world outside: protocols, and frozen shapes of what crosses the border."""
