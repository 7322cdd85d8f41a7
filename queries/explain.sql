-- How the planner would answer a question, without asking it.
EXPLAIN (FORMAT JSON, COSTS OFF) :question;
