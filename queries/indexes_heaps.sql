-- The sizes of the given relations at their last VACUUM or ANALYZE, their updates so far, and the columns by which they
-- are partitioned.
SELECT c.oid::int8 AS oid, greatest(c.relpages, 0)::int8 * current_setting('block_size')::int8 AS bytes,
       pg_stat_get_tuples_updated(c.oid) AS updates, pg_stat_get_tuples_hot_updated(c.oid) AS hot,
       ARRAY(
         SELECT a.attname::text
         FROM pg_catalog.pg_partitioned_table p, unnest(p.partattrs) AS k (attnum), pg_catalog.pg_attribute a
         WHERE p.partrelid = c.oid AND a.attrelid = c.oid AND a.attnum = k.attnum) AS partition_keys
FROM pg_catalog.pg_class c
WHERE c.oid = ANY (:'relids'::oid[]);
