-- The foreign keys from some tables to others, with the operator that compares each pair of columns: for the type of
-- the column, a schema outside the search path may have another one. A partition's inherited key is left out, because
-- its parent's is included.
SELECT con.conname::text AS name, con.conrelid::int8 AS child, con.confrelid::int8 AS parent,
       array_agg(c.attname::text ORDER BY u.n) AS columns, array_agg(p.attname::text ORDER BY u.n) AS referenced,
       array_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY u.n) AS operators
FROM pg_catalog.pg_constraint con
CROSS JOIN LATERAL unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, n)
JOIN pg_catalog.pg_attribute c ON c.attrelid = con.conrelid AND c.attnum = u.child
JOIN pg_catalog.pg_attribute p ON p.attrelid = con.confrelid AND p.attnum = u.parent
JOIN pg_catalog.pg_operator o ON o.oid = u.operator
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE con.contype = 'f' AND con.conparentid = 0
  AND con.conrelid = ANY (:'children'::oid[]) AND con.confrelid = ANY (:'parents'::oid[])
GROUP BY con.oid, con.conname, con.conrelid, con.confrelid
ORDER BY con.conrelid, con.conname;
