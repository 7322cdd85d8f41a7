-- Shows the definition of an index.
SELECT pg_catalog.pg_get_indexdef(pg_catalog.format('%I.%I', :'schemaname', :'indexname')::pg_catalog.regclass);
