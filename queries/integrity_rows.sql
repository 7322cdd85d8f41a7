-- Counts the rows of one relation that contradict their own marker, unless the relation is larger than most. Then
-- nothing is read, and only bytes is returned.
WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(
    pg_catalog.to_regclass(pg_catalog.format('%I.%I', :'schemaname', :'relname'))) AS bytes)
SELECT (SELECT bytes FROM size) AS bytes,
       count(*) FILTER (WHERE :inconsistent) AS inconsistent,
       count(*) FILTER (WHERE :future) AS future
FROM ONLY :"schemaname".:"relname"
WHERE (SELECT bytes FROM size) <= :'most'::int8;
