-- What tells whether relations have changed since an earlier answer, without a lock on
-- any of them. Server holds what makes all counters start anew: another server, a
-- restart, a reset, a crash (which moves the background writer's reset alone). It is
-- NULL where counters prove nothing: on a standby, and where nothing is counted.
SELECT c.oid::int8 AS oid,
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
         + pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS writes,
       server.identity || ' ' || concat_ws(' ', c.oid, c.relfilenode,
         pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),
         pg_catalog.pg_stat_get_tuples_deleted(c.oid), columns.shape) AS print
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (
  SELECT string_agg(concat_ws(':', attname, attnum, atttypid), ' ' ORDER BY attnum) AS shape
  FROM pg_catalog.pg_attribute
  WHERE attrelid = c.oid AND attname = ANY (:'attnames'::text[]) AND NOT attisdropped
) AS columns
CROSS JOIN (
  SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.current_setting('track_counts')::bool
    THEN d.oid || ' ' || pg_catalog.pg_postmaster_start_time() || ' '
      || COALESCE(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid)::text, 'never') || ' '
      || pg_catalog.pg_stat_get_bgwriter_stat_reset_time() END AS identity
  FROM pg_catalog.pg_database d
  WHERE d.datname = pg_catalog.current_database()
) AS server
WHERE c.oid = ANY (:'relations'::oid[]);
