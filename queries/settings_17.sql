-- The same for what only PostgreSQL 17 and newer know: each statement has its own limit.
SET LOCAL transaction_timeout = 0;
