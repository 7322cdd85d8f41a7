-- Begins a message that is a transaction of its own, like begin.sql: PostgreSQL makes all statements of a message one
-- transaction, which ends with the message, whatever becomes of it.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
