-- The names that are taken among those that end as the names of our advice do.
SELECT DISTINCT relname::text AS name
FROM pg_catalog.pg_class
WHERE relname ~ '_(live|purge|part)[0-9]*$'
ORDER BY 1;
