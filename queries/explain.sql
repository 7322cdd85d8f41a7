-- The planner's plan for a query, without running it.
EXPLAIN (FORMAT JSON, COSTS OFF) :question;
