-- Indexes on tables that are written to all day: made without holding up a writer, one statement at a time and outside
-- of a transaction. One that was interrupted leaves an invalid index behind, so each is dropped first.

-- Making one waits for transactions that began before; nobody waits behind it meanwhile.
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS orders_of_visitor;
CREATE INDEX CONCURRENTLY orders_of_visitor ON orders (visitor_id) WHERE visitor_id IS NOT NULL;

-- How many a customer has open: small, because most orders are finished.
DROP INDEX CONCURRENTLY IF EXISTS orders_open_of_customer;
CREATE INDEX CONCURRENTLY orders_open_of_customer ON orders (customer_id)
    WHERE status IN ('placing', 'awaiting_payment', 'requires_action', 'processing', 'payment_failed');

DROP INDEX CONCURRENTLY IF EXISTS orders_declined;
CREATE INDEX CONCURRENTLY orders_declined ON orders (customer_id, updated_at) WHERE declined_tries > 0;

DROP INDEX CONCURRENTLY IF EXISTS payments_acting;
CREATE INDEX CONCURRENTLY payments_acting ON payments (action_since) WHERE action_since IS NOT NULL;

-- Those that a bank or somebody's browser is deciding about.
DROP INDEX CONCURRENTLY IF EXISTS payments_deciding;
CREATE INDEX CONCURRENTLY payments_deciding ON payments (updated_at) WHERE status = 'processing';
SET lock_timeout = '4s';
