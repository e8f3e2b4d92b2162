"""The control process: hands staged jobs to the broker, keeps time, and puts back what was lost."""
