-- Counts one relation as count.sql does, in classes of deletion times: one result for each class, in arrays. :class is
-- NULL for a live row, and -1 for a deleted one without a time. Otherwise it is 16 times the number of :edges that the
-- time is not before, plus how it compares with the instants on which the numbers depend.
-- OFFSET 0 hides the statistics of the column: with as many groups as times the planner could sort the whole relation.
WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(
    pg_catalog.to_regclass(pg_catalog.format('%I.%I', :'schemaname', :'relname'))) AS bytes)
SELECT (SELECT bytes FROM size) AS bytes, pg_catalog.current_setting('block_size')::int8 AS block,
       array_agg(class) AS classes, array_agg(total) AS sizes,
       array_agg(:first)::float8[] AS firsts, array_agg(:next)::float8[] AS nexts,
       :observed
FROM (SELECT :"class" AS class, count(*) AS total, min(:"time") AS first
             :observing
      FROM (SELECT :classified AS :"class", :columns
            FROM :only :"schemaname".:"relname"
            WHERE (SELECT bytes FROM size) <= :'most'::int8
            OFFSET 0) AS classified
      GROUP BY :"class") AS classes;
