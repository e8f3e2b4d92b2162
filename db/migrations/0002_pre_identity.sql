-- Signing keys of the Auth service and the answers kept for Idempotency-Key.
SELECT 1;
