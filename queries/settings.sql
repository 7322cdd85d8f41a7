-- The settings of every such transaction. They end with it, so a pooler's
-- session is handed back as it was.
SELECT pg_catalog.set_config(name, value, true)
FROM (VALUES
  ('lock_timeout', :'lock_timeout'),
  ('statement_timeout', :'statement_timeout'),
  ('idle_in_transaction_session_timeout', '5s'),
  ('jit', 'off'),                            -- compiling takes longer than our scans
  ('max_parallel_workers_per_gather', '0'),  -- one backend, as announced
  ('enable_tidscan', 'on'),
  ('constraint_exclusion', 'on'),            -- the planner is asked what predicates contradict each other
  ('row_security', 'off'),                   -- filtered rows become an error, not a wrong count
  ('search_path', 'pg_catalog'),
  ('timezone', 'UTC'), ('datestyle', 'ISO')  -- a default is read as it is written
) AS setting (name, value);
