-- The leaf partitions of partitioned tables, and the tables themselves, from pg_inherits only: pg_partition_tree
-- would lock each of them. A privilege on a table that was dropped meanwhile is NULL; the table is then found to be
-- missing when it is counted.
WITH RECURSIVE tree (root, relid) AS (
  SELECT root, root FROM unnest(:'roots'::oid[]) AS root
  UNION ALL
  SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
)
SELECT tree.root::int8 AS root, c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
       c.relkind::text AS relkind, c.relpersistence = 'u' AS unlogged,
       COALESCE(has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'), true) AS readable,
       row_security_active(c.oid) AS row_security, c.relrowsecurity AS has_policies,
       COALESCE(c.relkind = 'r' AND a.amname = 'heap', false) AS heap,
       COALESCE(has_column_privilege(c.oid, (-1)::int2, 'SELECT'), false) AS tids -- ctid; some relations have none
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid
LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY tree.root, n.nspname, c.relname;
