"""The whole shop on one machine, for people and tests; the product never imports it."""
