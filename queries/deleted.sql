-- Counts the deleted rows alone, through an index that holds them, unless the index and
-- what it cannot answer without the heap are larger than most: then bytes alone is told,
-- which is NULL when the index is gone, and nothing was read.
WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(i.oid)
       + greatest(t.relpages - t.relallvisible, 0)::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_class i ON i.relnamespace = t.relnamespace AND i.relname = :'index'
  WHERE t.oid = :'relation'::oid)
SELECT (SELECT bytes FROM size) AS bytes,
       count(*) AS deleted,
       count(*) FILTER (WHERE :old) AS old,
       (:next)::float8 AS next
FROM ONLY :"schemaname".:"relname"
WHERE (:deleted) AND (SELECT bytes FROM size) <= :'most'::int8;
