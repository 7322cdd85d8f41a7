-- Counts one relation as count.sql does, in groups of rows whose deletion times are in the same class. Every instant
-- with which deletion times are compared is a bound between classes, so the first time of a class answers for all of
-- it. :edges are midnights, as days before the last one. For each group with a time, the result classes says how many
-- of them it is not before, and the result sizes how many rows it has.
-- Without OFFSET 0 the planner would expect a group for each deletion time, and could sort the whole relation.
WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(
    pg_catalog.to_regclass(pg_catalog.format('%I.%I', :'schemaname', :'relname'))) AS bytes
), midnights AS MATERIALIZED (
  SELECT pg_catalog.array_agg(:edge ORDER BY days DESC) AS edges
  FROM pg_catalog.unnest(:'edges'::int4[]) AS days
)
SELECT (SELECT bytes FROM size) AS bytes, pg_catalog.current_setting('block_size')::int8 AS block,
       COALESCE(sum(total), 0)::int8 AS total,
       COALESCE(sum(total) FILTER (WHERE :deleted), 0)::int8 AS deleted,
       COALESCE(sum(total) FILTER (WHERE :old), 0)::int8 AS old,
       COALESCE(sum(total) FILTER (WHERE :recent), 0)::int8 AS recent,
       (:oldest)::float8 AS oldest,
       (:next)::float8 AS next,
       (:coming)::float8 AS coming,
       array_agg(width_bucket(first, (SELECT edges FROM midnights))) FILTER (WHERE :deleted_at_all) AS classes,
       array_agg(total) FILTER (WHERE :deleted_at_all) AS sizes,
       :observed
FROM (SELECT :"class" AS class, count(*) AS total, CASE WHEN :"class" >= 0 THEN min(:"time") END AS first
             :observing
      FROM (SELECT :classified AS :"class", :columns
            FROM :only :"schemaname".:"relname"
            WHERE (SELECT bytes FROM size) <= :'most'::int8
            OFFSET 0) AS classified
      GROUP BY :"class") AS classes;
