"""The doors of the workers: one file is one queue is one line of the Procfile. `broker.py` is how a door is made."""
