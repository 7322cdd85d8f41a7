-- Reads what policies let us read, in this transaction. Without it a policy is an error, even one
-- that hides nothing.
SELECT pg_catalog.set_config('row_security', 'on', true);
