-- The settings of every transaction. Until search_path is set, every name is qualified: a stranger's function or
-- operator could come first. The settings end with the transaction, so a pooler gets the session back as it was.
-- Settings that this server does not know are left out.
SELECT pg_catalog.set_config(name, value, true)
FROM (VALUES
  -- What the transaction may cost.
  ('statement_timeout', :'statement_timeout'),
  ('lock_timeout', :'lock_timeout'),
  ('idle_in_transaction_session_timeout', '5s'),
  ('transaction_timeout', '0'),              -- each statement has its own limit
  ('jit', 'off'),                            -- compiling takes longer than our scans
  ('max_parallel_workers_per_gather', '0'),  -- one backend, as announced
  -- How tables are read. The planner's proofs need every kind of scan, even if the role has one switched off.
  ('enable_seqscan', 'on'), ('enable_indexscan', 'on'), ('enable_indexonlyscan', 'on'),
  ('enable_bitmapscan', 'on'), ('enable_tidscan', 'on'),
  ('enable_hashagg', 'on'),                  -- classes of rows are counted without sorting the rows
  ('constraint_exclusion', :'constraint_exclusion'),
  -- What the results mean.
  ('row_security', 'off'),                   -- hidden rows cause an error instead of a wrong count
  ('search_path', 'pg_catalog'),
  -- Without an encoding a name may be any bytes, which would be errors in UTF8.
  ('client_encoding', CASE WHEN pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.=) 'SQL_ASCII'
    THEN 'SQL_ASCII' ELSE 'UTF8' END),
  -- How PostgreSQL prints what the exporter reads, and how it reads what it has printed.
  ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
  ('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
  ('extra_float_digits', '1'), ('bytea_output', 'hex')
) AS setting (name, value)
WHERE pg_catalog.current_setting(name, true) IS NOT NULL;
