-- The defaults of columns of one relation. pg_get_expr waits for whoever changes the
-- relation, so each is asked in a transaction of its own.
SELECT adnum AS attnum, COALESCE(pg_get_expr(adbin, adrelid), '') AS expression
FROM pg_catalog.pg_attrdef
WHERE adrelid = :'relation'::oid AND adnum = ANY (:'attnums'::int2[]);
