-- Rebuilds an index without blocking writes.
REINDEX INDEX CONCURRENTLY :"schemaname".:"indexname";
