"""The way of an event: accepted, stored once, accounted for, and made into visits."""
