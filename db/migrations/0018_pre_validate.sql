-- Constraints that came as NOT VALID hold for new rows since then; now the old rows are looked at, in a transaction of
-- its own, so that writers are not locked out meanwhile.
ALTER TABLE webhook_deliveries VALIDATE CONSTRAINT webhook_deliveries_adopt_into_fkey;
ALTER TABLE webhook_deliveries VALIDATE CONSTRAINT webhook_deliveries_state_check;
ALTER TABLE ledger_entries VALIDATE CONSTRAINT ledger_entries_kind_check;
ALTER TABLE refunds VALIDATE CONSTRAINT refunds_status_check;
ALTER TABLE effects VALIDATE CONSTRAINT effects_kind_check;
ALTER TABLE orders VALIDATE CONSTRAINT orders_total;
ALTER TABLE orders VALIDATE CONSTRAINT orders_locale;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_category;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_rate;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_tax;
ALTER TABLE invoices VALIDATE CONSTRAINT invoices_part;
ALTER TABLE mails VALIDATE CONSTRAINT mails_smtp;
ALTER TABLE mails VALIDATE CONSTRAINT mails_states;
ALTER TABLE product_embeddings VALIDATE CONSTRAINT product_embeddings_model;
ALTER TABLE search_queries VALIDATE CONSTRAINT search_queries_teams;
