-- Counts only all rows and the marked ones, as count.sql does. If none is marked, that answers everything, at half the
-- cost for a small relation.
SELECT pg_relation_size(:'regclass') AS bytes, current_setting('block_size')::int8 AS block,
       count(*) AS total,
       count(*) FILTER (WHERE :marked) AS marked,
       :observed
FROM :only :"schemaname".:"relname"
WHERE (SELECT pg_relation_size(:'regclass')) <= :most;
