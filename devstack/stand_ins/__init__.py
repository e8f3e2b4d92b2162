"""Stand-ins for the services the shop talks to; they know nothing of the shop."""
