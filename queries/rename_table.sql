-- The body that renames a table.
BEGIN EXECUTE format('ALTER TABLE %s RENAME TO new_name', :relation::oid::regclass); END
