"""Finding products: the catalogue as search knows it, its vectors, its words, and how a query is answered."""
