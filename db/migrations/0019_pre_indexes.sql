-- Indexes on tables that are written to all day: made without holding up a writer, one statement at a time and outside
-- of a transaction. One that was interrupted leaves an invalid index behind, so each is dropped first.
-- squawk-ignore-file ban-concurrent-index-creation-in-transaction, prefer-robust-stmts

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

-- Of deliveries an index for each question: what is due, what nobody read, what waits for a person, what belongs to a
-- payment.
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_waiting;

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_due;
CREATE INDEX CONCURRENTLY webhook_deliveries_due ON webhook_deliveries (retry_at) WHERE state = 'parked';

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_unread;
CREATE INDEX CONCURRENTLY webhook_deliveries_unread ON webhook_deliveries (received_at) WHERE state = 'received';

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_by_state;
CREATE INDEX CONCURRENTLY webhook_deliveries_by_state ON webhook_deliveries (state, id DESC);

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_of_payment;
CREATE INDEX CONCURRENTLY webhook_deliveries_of_payment ON webhook_deliveries (payment_ref, id DESC)
    WHERE payment_ref IS NOT NULL;

-- Bodies that are still there and whose time may have come.
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_refused_to_blank;
CREATE INDEX CONCURRENTLY webhook_deliveries_refused_to_blank ON webhook_deliveries (settled_at)
    WHERE state = 'refused' AND blanked_at IS NULL;

DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_to_blank;
CREATE INDEX CONCURRENTLY webhook_deliveries_to_blank ON webhook_deliveries (settled_at)
    WHERE blanked_at IS NULL AND settled_at IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS reconciliations_running;
CREATE INDEX CONCURRENTLY reconciliations_running ON reconciliations (id) WHERE state = 'running';

-- Facts are read by day only when a day is sealed or checked: rows lie in that order, so a few pages of index do.
DROP INDEX CONCURRENTLY IF EXISTS transactions_by_time;
CREATE INDEX CONCURRENTLY transactions_by_time ON transactions USING brin (recorded_at) WITH (pages_per_range = 16);

DROP INDEX CONCURRENTLY IF EXISTS refunds_requested;
CREATE INDEX CONCURRENTLY refunds_requested ON refunds (created_at) WHERE status = 'requested';

-- Disputes that wait for an answer, by when it is due.
DROP INDEX CONCURRENTLY IF EXISTS disputes_due;
CREATE INDEX CONCURRENTLY disputes_due ON disputes (evidence_due_at)
    WHERE status IN ('needs_response', 'warning_needs_response');

DROP INDEX CONCURRENTLY IF EXISTS invoices_of_order;
CREATE UNIQUE INDEX CONCURRENTLY invoices_of_order ON invoices (order_id, part);
-- An order has one invoice for each capture now.
-- squawk-ignore ban-drop-constraint
ALTER TABLE invoices DROP CONSTRAINT IF EXISTS invoices_order_id_key;

DROP INDEX CONCURRENTLY IF EXISTS invoices_by_time;
CREATE INDEX CONCURRENTLY invoices_by_time ON invoices (issued_at, id);

DROP INDEX CONCURRENTLY IF EXISTS credit_notes_by_time;
CREATE INDEX CONCURRENTLY credit_notes_by_time ON credit_notes (issued_at, id);

DROP INDEX CONCURRENTLY IF EXISTS mails_by_state;
CREATE INDEX CONCURRENTLY mails_by_state ON mails (state, id DESC);

-- Setups are deleted when they are old.
DROP INDEX CONCURRENTLY IF EXISTS payment_method_setups_age;
CREATE INDEX CONCURRENTLY payment_method_setups_age ON payment_method_setups (created_at);

DROP INDEX CONCURRENTLY IF EXISTS product_embeddings_of_model;
CREATE INDEX CONCURRENTLY product_embeddings_of_model ON product_embeddings (model_version);

DROP INDEX CONCURRENTLY IF EXISTS search_documents_language;
CREATE INDEX CONCURRENTLY search_documents_language ON search_documents (language, product_n);

DROP INDEX CONCURRENTLY IF EXISTS search_queries_trial;
CREATE INDEX CONCURRENTLY search_queries_trial ON search_queries (searched_at) WHERE teams IS NOT NULL;

SET lock_timeout = '4s';
