"""What time does: sweeps, looks at unknown outcomes, deadlines and limits."""
