-- Begins a partitioned index, which stays invalid until every partition has its part:
-- CONCURRENTLY is not to be had on a partitioned table.
:create INDEX :"indexname" ON ONLY :"schemaname".:"relname" USING :method (:keys):including:where;
