-- All partitions, at all levels, of the partitioned tables among the given ones, parents first.
WITH RECURSIVE tree (root, parent, relid, depth) AS (
  SELECT c.oid, 0::oid, c.oid, 0
  FROM pg_catalog.pg_class c
  WHERE c.oid = ANY (:'relids'::oid[]) AND c.relkind = 'p'
  UNION ALL
  SELECT tree.root, tree.relid, i.inhrelid, tree.depth + 1
  FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
)
SELECT tree.root::int8 AS root, tree.parent::int8 AS parent, c.oid::int8 AS oid,
       n.nspname::text AS schema, c.relname::text AS name, c.relkind <> 'p' AS leaf
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE tree.depth > 0
ORDER BY tree.root, tree.depth, n.nspname, c.relname;
