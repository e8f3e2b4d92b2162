"""Routes of those who run it: jobs, health, metrics, documentation."""
