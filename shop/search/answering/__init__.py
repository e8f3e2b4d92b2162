"""From a query to a list: candidates, one order, facets, pages, and what is kept for whoever asks the same."""
