-- Values that change if relations have changed since an earlier answer, without a lock on any of them.
-- server.identity changes whenever all counters start at zero: on another server, after a restart, a reset or a crash
-- (which only resets the background writer's statistics visibly). It is NULL if counters prove nothing: on a standby,
-- or if they are off.
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
