"""What runs the shop itself: jobs and queues as people see them, keyed requests, pruning, readiness."""
