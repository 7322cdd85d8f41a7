-- The foreign keys of some tables that reference others, with the operator by which
-- each pair of columns is compared: the column's type may have another one in a schema
-- that is not searched. What a partition inherits is its parent's.
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
