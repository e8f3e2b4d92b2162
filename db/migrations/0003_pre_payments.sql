-- Orders, payments, the audit log, refunds, the ledger and the inbox of Stripe's deliveries.
SELECT 1;
