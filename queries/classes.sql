-- Counts one relation as count.sql does, in classes of deletion times. classes has a row of texts for each class: its
-- number, its rows, its first deletion, when that day ends, and what its values show. The number is NULL for live rows,
-- and -1 for deleted ones without a time. Otherwise it is 16 times the number of :edges that the time is not before,
-- plus how it compares with the instants on which the numbers depend.
-- OFFSET 0 hides the statistics of the column: with as many groups as times the planner could sort the whole relation.
SELECT pg_relation_size(:'regclass') AS bytes, current_setting('block_size')::int8 AS block,
       ARRAY(
         SELECT ARRAY[:"class"::text, count(*)::text, (:first)::text, (:next)::text, :observing]
         FROM (SELECT :classified AS :"class", :columns
               FROM :only :"schemaname".:"relname"
               WHERE (SELECT pg_relation_size(:'regclass')) <= :most
               OFFSET 0) AS classified
         GROUP BY :"class") AS classes;
