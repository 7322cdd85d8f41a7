-- Whether two predicates contradict each other: the plan then does not read the table, because no row can match.
EXPLAIN (COSTS OFF, FORMAT JSON)
SELECT FROM ONLY :"schemaname".:"relname" WHERE (:predicate) AND (:claim);
