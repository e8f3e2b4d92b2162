-- When what a product says now was said, so that a batch that waited does not undo what was said after it: a product that
-- was taken out meanwhile does not come back. NULL: before this was noted; whatever comes is newer.
ALTER TABLE products ADD COLUMN said_at timestamptz;
