-- Counts one relation in one pass, unless it is larger than most. It is then not read, and only bytes is returned:
-- the condition on the size is checked before the scan. With ONLY in :only, partitions and inheritance children are
-- left out; otherwise they are included.
SELECT pg_relation_size(:'regclass') AS bytes, current_setting('block_size')::int8 AS block,
       count(*) AS total,
       count(*) FILTER (WHERE :deleted) AS deleted,
       count(*) FILTER (WHERE :old) AS old,
       count(*) FILTER (WHERE :recent) AS recent,
       (:oldest)::float8 AS oldest,
       (:next)::float8 AS next,
       (:coming)::float8 AS coming,
       :observed
FROM :only :"schemaname".:"relname"
WHERE (SELECT pg_relation_size(:'regclass')) <= :most;
