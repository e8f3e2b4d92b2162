"""What the business does, without framework or vendor."""
