-- The indexes of the given relations, with everything that may change at any time. All other facts are read again
-- only if version changes; it is made from the version of the catalog row and the names of the table's columns.
-- Nothing here waits for a lock on the tables.
SELECT i.indexrelid::int8 AS oid, i.indrelid::int8 AS relid, i.xmin::text || '/' || a.names AS version,
       n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'I' AS partitioned, i.indisvalid AS valid,
       coalesce(h.inhparent, 0)::int8 AS parent,
       c.relpages::int8 * current_setting('block_size')::int8 AS bytes,
       pg_stat_get_numscans(i.indexrelid) AS scans,
       -- A concurrent build holds this lock from beginning to end, like a VACUUM. Every role may see the pid of a
       -- build, but not its table.
       CASE WHEN NOT i.indisvalid THEN EXISTS (
         SELECT FROM pg_catalog.pg_locks l
         WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock'
           AND l.pid IN (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p)
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
       ELSE false END AS building
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN (
  SELECT attrelid, sum(hashname(attname)::int8 * attnum) AS names
  FROM pg_catalog.pg_attribute
  WHERE attnum > 0 AND attrelid = ANY (:'relids'::oid[])
  GROUP BY attrelid) a ON a.attrelid = i.indrelid
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
WHERE i.indrelid = ANY (:'relids'::oid[]) AND i.indislive;
