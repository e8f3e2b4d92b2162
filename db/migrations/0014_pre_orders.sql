-- What an order went through, step by step; outcomes that nobody knows yet; tries at a bank and their time limit.

-- Each step of an order with the number of the fact that caused it.
CREATE TABLE order_moves (
    order_id text NOT NULL,
    seq integer NOT NULL,
    before text NOT NULL CHECK (length(before) <= 40),
    after text NOT NULL CHECK (length(after) <= 40),
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (order_id, seq),
    FOREIGN KEY (order_id, seq) REFERENCES transactions (order_id, seq),
    CHECK (before <> after)
);
CREATE TRIGGER order_moves_append_only BEFORE UPDATE OR DELETE ON order_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_moves_no_truncate BEFORE TRUNCATE ON order_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Set while the provider took a request and gave no verdict: since when, and when somebody looks next.
ALTER TABLE provider_attempts ADD COLUMN unknown_since timestamptz;
ALTER TABLE provider_attempts ADD COLUMN look_at timestamptz;

-- The way to pay that was tried last, since when its bank waits for the customer, and when anybody last looked.
ALTER TABLE payments ADD COLUMN method_id text CHECK (length(method_id) <= 255);
ALTER TABLE payments ADD COLUMN action_since timestamptz;
ALTER TABLE payments ADD COLUMN looked_at timestamptz;

-- Cards that the bank refused for this order; whoever tries many is trying out cards.
ALTER TABLE orders ADD COLUMN declined_tries integer NOT NULL DEFAULT 0 CHECK (declined_tries >= 0);
