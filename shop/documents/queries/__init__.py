"""All SQL of the documents: what is read of orders, what is issued, what is mailed."""
