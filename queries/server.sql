-- What a new connection must know about the server and the database it reached.
SELECT current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       current_database()::text AS database,
       current_user::text AS role,
       (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms,
       pg_is_in_recovery() AS standby,
       to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL AS citus,
       to_regclass('_timescaledb_catalog.hypertable') IS NOT NULL AS timescale;
