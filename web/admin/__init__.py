"""Pages for the people who run the shop: HTML over the routes everybody calls, with the rights of its reader."""
