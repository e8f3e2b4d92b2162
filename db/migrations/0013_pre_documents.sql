-- Tax by rate and country, frozen with each order and booked with each movement of money; documents in the customer's
-- language, with the shop's logo; several invoices of one order; what a mail server answered.

-- Whether the prices of the order hold their tax. If not, it is added: total = subtotal + shipping + tax.
ALTER TABLE orders ADD COLUMN tax_included boolean NOT NULL DEFAULT true;
-- The language and region its documents and mails are written in, as in `de_AT`. NULL: those of the shop.
ALTER TABLE orders ADD COLUMN locale text;
-- squawk-ignore ban-drop-constraint
ALTER TABLE orders DROP CONSTRAINT orders_check;
ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (
    total_minor = subtotal_minor + shipping_minor + CASE WHEN tax_included THEN 0 ELSE tax_minor END) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_locale CHECK (length(locale) <= 20) NOT VALID;

-- What decided the rate of a line, the rate, and the line's own part of the order's tax. NULL: placed before.
ALTER TABLE order_lines ADD COLUMN category text;
ALTER TABLE order_lines ADD COLUMN tax_rate_percent numeric(5, 2);
ALTER TABLE order_lines ADD COLUMN tax_minor bigint;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_category CHECK (length(category) <= 300) NOT VALID;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_rate CHECK (tax_rate_percent BETWEEN 0 AND 100) NOT VALID;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_tax CHECK (tax_minor >= 0) NOT VALID;

-- The tax of an order, one row a rate, frozen when it was placed.
CREATE TABLE order_taxes (
    order_id text NOT NULL REFERENCES orders (id),
    rate_percent numeric(5, 2) NOT NULL CHECK (rate_percent BETWEEN 0 AND 100),
    -- Whose rate it is.
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    -- Goods and shipping as they were priced: with tax or without, as the order says.
    goods_minor bigint NOT NULL CHECK (goods_minor >= 0),
    shipping_minor bigint NOT NULL CHECK (shipping_minor >= 0),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    -- The part of the tax that is within, or comes upon, the shipping.
    shipping_tax_minor bigint NOT NULL CHECK (shipping_tax_minor BETWEEN 0 AND tax_minor),
    PRIMARY KEY (order_id, rate_percent),
    CHECK (goods_minor + shipping_minor IN (net_minor, net_minor + tax_minor))
);
CREATE TRIGGER order_taxes_are_frozen BEFORE UPDATE OR DELETE ON order_taxes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_taxes_stay BEFORE TRUNCATE ON order_taxes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How much of each rate a sale or a credit moved: the ledger's account `tax`, rate by rate. Documents read it here.
CREATE TABLE booked_taxes (
    cause text NOT NULL REFERENCES ledger_entries (cause),
    order_id text NOT NULL REFERENCES orders (id),
    rate_percent numeric(5, 2) NOT NULL CHECK (rate_percent BETWEEN 0 AND 100),
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    -- Positive for a sale, negative for money given back.
    gross_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    PRIMARY KEY (cause, rate_percent),
    CHECK (abs(tax_minor) <= abs(gross_minor) AND sign(tax_minor) * sign(gross_minor) >= 0)
);
CREATE INDEX booked_taxes_of_order ON booked_taxes (order_id);
CREATE TRIGGER booked_taxes_append_only BEFORE UPDATE OR DELETE ON booked_taxes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER booked_taxes_no_truncate BEFORE TRUNCATE ON booked_taxes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An order whose money came in two captures has two invoices.
ALTER TABLE invoices ADD COLUMN part integer NOT NULL DEFAULT 1;
ALTER TABLE invoices ADD CONSTRAINT invoices_part CHECK (part > 0) NOT VALID;

-- Logos by their digest: a document names the one it was issued with and is drawn with it for ever.
CREATE TABLE document_logos (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    media_type text NOT NULL CHECK (media_type IN ('image/svg+xml', 'image/png', 'image/jpeg')),
    content bytea NOT NULL CHECK (length(content) <= 1048576),
    CHECK (sha256 = sha256(content))
);
CREATE TRIGGER document_logos_are_final BEFORE UPDATE OR DELETE ON document_logos
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER document_logos_stay BEFORE TRUNCATE ON document_logos
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();

-- Templates, style and libraries that drew a file: bytes can be drawn again with these, and no others are compared.
ALTER TABLE document_files ADD COLUMN drawn_with text NOT NULL DEFAULT '';

-- What the server said when it took or refused a mail: 550 and its sentence for a mailbox that does not exist.
ALTER TABLE mails ADD COLUMN smtp_code integer;
ALTER TABLE mails ADD COLUMN smtp_answer text;
ALTER TABLE mails ADD CONSTRAINT mails_smtp CHECK (smtp_code BETWEEN 200 AND 599 AND length(smtp_answer) <= 500)
    NOT VALID;
-- bounced: the server refused the letter or its recipient for good; gave_up: it never took it, however often asked.
-- squawk-ignore ban-drop-constraint
ALTER TABLE mails DROP CONSTRAINT mails_state_check;
ALTER TABLE mails ADD CONSTRAINT mails_states CHECK (
    state IN ('waiting', 'sending', 'sent', 'refused', 'dropped', 'bounced', 'gave_up')) NOT VALID;

-- Whatever was issued under a number, for those who list, prove or fetch it. Each part has an index on
-- (series, year, serial), on its number and on its order, and a question of the whole goes through them.
CREATE VIEW issued_documents AS
    SELECT 'invoice' AS kind, id, number, series, year, serial, order_id, NULL::text AS refund_id, customer_id, currency,
           net_minor, tax_minor, total_minor, snapshot, snapshot_sha256, issued_at
      FROM invoices
    UNION ALL
    SELECT 'credit_note', id, number, series, year, serial, order_id, refund_id, customer_id, currency, net_minor,
           tax_minor, total_minor, snapshot, snapshot_sha256, issued_at
      FROM credit_notes
    UNION ALL
    SELECT 'debit_note', id, number, series, year, serial, order_id, refund_id, customer_id, currency, net_minor,
           tax_minor, total_minor, snapshot, snapshot_sha256, issued_at
      FROM debit_notes;
