-- How words of suggestions begin, each without one of its letters, and as it is: what is typed with one slip shares such
-- a piece with what was meant. Of longer words the first seven letters; those tell which word it is.

CREATE TABLE search_beginnings (
    piece text NOT NULL COLLATE "C" CHECK (length(piece) BETWEEN 1 AND 7),
    beginning text NOT NULL COLLATE "C" CHECK (length(beginning) BETWEEN 2 AND 7),
    PRIMARY KEY (piece, beginning)
);

-- Suggestions that are there already are read again, as after an import of the whole catalogue.
INSERT INTO search_reworded (product_id) SELECT id FROM products ON CONFLICT DO NOTHING;
