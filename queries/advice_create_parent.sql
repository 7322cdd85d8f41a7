-- Creates a partitioned index. It stays invalid until each partition has an index attached to it: a partitioned index
-- cannot be created CONCURRENTLY.
:create INDEX :"indexname" ON ONLY :"schemaname".:"relname" USING :method (:keys):including:where;
