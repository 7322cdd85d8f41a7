-- The body that renames the schema of a table.
BEGIN EXECUTE format('ALTER SCHEMA %s RENAME TO new_name', (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = :relation)::regnamespace); END
