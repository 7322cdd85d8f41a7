-- Of the given foreign keys: the table that references, the key's columns, and which of the
-- table's indexes have one of them, with what keeps each from finding the referencing rows.
SELECT k.oid::int8 AS key, c.oid::int8 AS relid, n.nspname::text AS schema, c.relname::text AS name,
       ARRAY(
         SELECT a.attname::text
         FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
         ORDER BY u.place) AS columns,
       near.oids, near.names, near.lacks
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(i.indexrelid::int8 ORDER BY ic.relname), '{}') AS oids,
         coalesce(array_agg(ic.relname::text ORDER BY ic.relname), '{}') AS names,
         coalesce(array_agg(
           CASE
             WHEN am.amname NOT IN ('btree', 'hash') THEN 'order'
             WHEN i.indkey[0] <> ALL (k.conkey) THEN 'order'
             WHEN i.indpred IS NOT NULL THEN 'rows'
             WHEN NOT i.indisvalid THEN 'validity'
             ELSE 'collation'
           END ORDER BY ic.relname), '{}') AS lacks
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_am am ON am.oid = ic.relam
  WHERE i.indrelid = k.conrelid AND i.indislive AND i.indkey::int2[] && k.conkey) AS near
WHERE k.oid = ANY (:'constraints'::oid[]);
