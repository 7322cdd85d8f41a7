-- Values with an unknown meaning, if there are any, of a relation that is not larger than most.
SELECT ARRAY[:strange]::text[] AS strange
FROM :only :"schemaname".:"relname"
WHERE (SELECT pg_relation_size(:'regclass')) <= :most;
