-- The settings of every such transaction. No function and no operator is looked up before
-- the search path is set: a stranger's may come first. They end with it, so a pooler's
-- session is handed back as it was. Those that this server does not know are left out.
SELECT pg_catalog.set_config(name, value, true)
FROM (VALUES
  -- What it may cost.
  ('statement_timeout', :'statement_timeout'),
  ('lock_timeout', :'lock_timeout'),
  ('idle_in_transaction_session_timeout', '5s'),
  ('transaction_timeout', '0'),              -- its statements are bounded one by one
  ('jit', 'off'),                            -- compiling takes longer than our scans
  ('max_parallel_workers_per_gather', '0'),  -- one backend, as announced
  -- How it is read. What is off for the role would be missing in proofs of the planner.
  ('enable_seqscan', 'on'), ('enable_indexscan', 'on'), ('enable_indexonlyscan', 'on'),
  ('enable_bitmapscan', 'on'), ('enable_tidscan', 'on'),
  ('constraint_exclusion', :'constraint_exclusion'),
  -- What it means.
  ('row_security', 'off'),                   -- filtered rows become an error, not a wrong count
  ('search_path', 'pg_catalog'),
  -- Where there is no encoding, any bytes are a name, and an error in UTF8.
  ('client_encoding', CASE WHEN pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END),
  -- How PostgreSQL writes what we read and print, and reads what it wrote.
  ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
  ('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
  ('extra_float_digits', '1'), ('bytea_output', 'hex')
) AS setting (name, value)
WHERE pg_catalog.current_setting(name, true) IS NOT NULL;
