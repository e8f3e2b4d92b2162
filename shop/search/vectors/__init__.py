"""What products mean, as vectors: made in bites, kept under the model they came from."""
