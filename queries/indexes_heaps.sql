-- The sizes of the given relations at their last VACUUM or ANALYZE, and their updates so far.
SELECT c.oid::int8 AS oid, greatest(c.relpages, 0)::int8 * current_setting('block_size')::int8 AS bytes,
       pg_stat_get_tuples_updated(c.oid) AS updates, pg_stat_get_tuples_hot_updated(c.oid) AS hot
FROM pg_catalog.pg_class c
WHERE c.oid = ANY (:'relids'::oid[]);
