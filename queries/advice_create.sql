-- Creates an index without blocking writes.
:create INDEX CONCURRENTLY :"indexname" ON :"schemaname".:"relname" USING :method (:keys):including:where;
