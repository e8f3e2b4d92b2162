"""Double entry, its taxes, its seals and the proof that nothing changed."""
