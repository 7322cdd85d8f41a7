-- The constraints that depend on indexes of the given tables, and the tables' own foreign keys with their columns.
SELECT con.conrelid::int8 AS relid, con.conindid::int8 AS index, con.conname::text AS name,
       con.contype = 'f' AS foreign_key,
       CASE con.contype WHEN 'f' THEN ARRAY(
         SELECT a.attname::text
         FROM unnest(con.conkey) AS u (attnum)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = u.attnum)
       ELSE '{}' END AS columns
FROM pg_catalog.pg_constraint con
WHERE con.contype IN ('p', 'u', 'x', 'f')
  AND (con.conrelid = ANY (:'relids'::oid[]) OR con.confrelid = ANY (:'relids'::oid[]));
