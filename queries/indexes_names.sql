-- The existing names that have the endings of our names. They are sorted by their bytes, whatever the collation of
-- the database is.
SELECT DISTINCT relname::text COLLATE "C" AS name
FROM pg_catalog.pg_class
WHERE relname ~ '_(live|purge|reference|part)[0-9]*$'
ORDER BY 1;
