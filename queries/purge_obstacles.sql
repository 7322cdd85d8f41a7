-- What could make a DELETE of rows past retention remove others, or do more than remove
-- them: of tables, given with their marker columns, and of all their partitions. It reads
-- catalogs whose rows need no lock on the tables that they describe.
WITH RECURSIVE marker (root, name) AS (
  SELECT * FROM unnest(:'roots'::oid[], :'attnames'::text[])
), tree (root, relid) AS (
  SELECT DISTINCT root, root FROM marker
  UNION ALL
  SELECT tree.root, i.inhrelid
  FROM tree
  JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
), obstacle (root, what, name, relid) AS (
  SELECT tree.root, 'trigger', t.tgname, tree.relid
  FROM tree
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = tree.relid
  WHERE t.tgtype & 8 <> 0 -- at DELETE
    AND (NOT t.tgisinternal OR t.tgparentid <> 0 AND t.tgconstrindid = 0) -- version 14 calls those internal that came from the parent
  UNION ALL
  SELECT tree.root, 'rule', r.rulename, tree.relid
  FROM tree
  JOIN pg_catalog.pg_rewrite r ON r.ev_class = tree.relid
  UNION ALL
  SELECT tree.root, 'foreign key', k.conname, k.conrelid
  FROM tree
  JOIN pg_catalog.pg_constraint k ON k.confrelid = tree.relid AND k.contype = 'f'
  UNION ALL
  SELECT marker.root, CASE WHEN d.typdefault IS NOT NULL OR d.typdefaultbin IS NOT NULL OR a.atthasdef OR a.atthasmissing THEN 'default' ELSE 'not null' END, a.attname, tree.relid
  FROM marker
  JOIN tree ON tree.root = marker.root
  JOIN pg_catalog.pg_attribute a ON a.attrelid = tree.relid AND a.attname = marker.name AND NOT a.attisdropped
  JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
  WHERE a.attnotnull OR d.typnotnull OR a.atthasdef OR a.atthasmissing OR d.typdefault IS NOT NULL OR d.typdefaultbin IS NOT NULL
)
SELECT DISTINCT ON (o.root, o.what, o.name) o.root::int8 AS root, o.what, o.name::text AS name, n.nspname::text AS schema, c.relname::text AS relname
FROM obstacle o
JOIN pg_catalog.pg_class c ON c.oid = o.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY o.root, o.what, o.name, n.nspname, c.relname;
