-- The names that are taken among those that end as the names of our advice do.
-- They are sorted by their bytes, whatever the collation of the database.
SELECT DISTINCT relname::text COLLATE "C" AS name
FROM pg_catalog.pg_class
WHERE relname ~ '_(live|purge|part)[0-9]*$'
ORDER BY 1;
