-- The hypertables of TimescaleDB: their own files are empty, the rows are in chunks.
SELECT c.oid::int8 AS oid
FROM _timescaledb_catalog.hypertable h
JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = h.table_name;
