-- Whether two predicates contradict each other: the planner then sees that no row
-- can be found, and does not read the table. It is only explained.
EXPLAIN (COSTS OFF, FORMAT JSON)
SELECT FROM ONLY :"schemaname".:"relname" WHERE (:predicate) AND (:claim);
