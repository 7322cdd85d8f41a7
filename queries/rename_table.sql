-- The body that renames a table.
BEGIN EXECUTE pg_catalog.format('ALTER TABLE %s RENAME TO new_name', :relation::pg_catalog.oid::pg_catalog.regclass); END
