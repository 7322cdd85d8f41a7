-- Counts the live rows of one relation that reference a deleted row of another, unless both together are larger than
-- most. Then nothing is read, and only bytes is returned.
WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass(pg_catalog.format('%I.%I', :'schemaname', :'relname')))
       + pg_catalog.pg_relation_size(
           pg_catalog.to_regclass(pg_catalog.format('%I.%I', :'referencedschema', :'referencedname'))) AS bytes)
SELECT (SELECT bytes FROM size) AS bytes, count(*) AS orphaned
FROM ONLY :"schemaname".:"relname" AS child
WHERE (SELECT bytes FROM size) <= :'most'::int8 AND :orphaned;
