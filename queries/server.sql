-- What a new connection must know about the server and the database it reached.
SELECT current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       current_database()::text AS database,
       current_user::text AS role,
       (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000)::int8 AS deadlock_timeout_ms,
       pg_is_in_recovery() AS standby,
       -- Whether the role was given the right to leave its statements out of pg_stat_statements. A superuser has it
       -- unasked, and does not use it. Before PostgreSQL 15 nobody can be given it.
       :untracked AS untracked,
       -- Not with to_regclass: that is an error if the role has no USAGE on the schema.
       EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'pg_catalog' AND c.relname = 'pg_dist_partition') AS citus,
       EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = '_timescaledb_catalog' AND c.relname = 'hypertable') AS timescale;
