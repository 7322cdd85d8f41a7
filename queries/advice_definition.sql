-- What an index is.
SELECT pg_get_indexdef(format('%I.%I', :'schemaname', :'indexname')::regclass);
