-- Counts only the deleted rows, through an index that contains them, unless the index and the part of the heap that
-- must be read with it are larger than most. Then nothing is read, and only bytes is returned. bytes is NULL if the
-- index no longer exists.
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
