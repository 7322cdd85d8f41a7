-- The settings of every transaction, a statement each: that takes a third of the time that set_config does. No name
-- is looked up, so no stranger's function or operator can come first. The settings end with the transaction, so a
-- pooler gets the session back as it was.
-- What the transaction may cost.
SET LOCAL statement_timeout = :'statement_timeout';
SET LOCAL lock_timeout = :'lock_timeout';
SET LOCAL idle_in_transaction_session_timeout = '5s';
SET LOCAL jit = off; -- compiling takes longer than our scans
SET LOCAL max_parallel_workers_per_gather = 0; -- one backend, as announced
-- How tables are read. The planner's proofs need every kind of scan, even if the role has one switched off.
SET LOCAL enable_seqscan = on;
SET LOCAL enable_indexscan = on;
SET LOCAL enable_indexonlyscan = on;
SET LOCAL enable_bitmapscan = on;
SET LOCAL enable_tidscan = on;
SET LOCAL enable_hashagg = on; -- classes of rows are counted without sorting the rows
SET LOCAL constraint_exclusion = :constraint_exclusion;
-- What the results mean.
SET LOCAL row_security = off; -- hidden rows cause an error instead of a wrong count
SET LOCAL quote_all_identifiers = off; -- also quotes the names of the search path
SET LOCAL search_path = pg_catalog;
-- Without an encoding a name may be any bytes, which would be errors in UTF8.
SET LOCAL client_encoding = :'client_encoding';
-- How PostgreSQL prints what the exporter reads, and how it reads what it has printed.
SET LOCAL standard_conforming_strings = on;
SET LOCAL datestyle = ISO, MDY;
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = hex;
