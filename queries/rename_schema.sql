-- The body that renames the schema of a table.
BEGIN EXECUTE pg_catalog.format('ALTER SCHEMA %s RENAME TO new_name', (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) :relation)::pg_catalog.regnamespace); END
