"""Once per process: settings, services, broker, logs, and the command line."""
