-- The catalogue, its vectors and postings, and what was searched for.
SELECT 1;
