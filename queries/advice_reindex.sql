-- Builds an index anew without blocking writes.
REINDEX INDEX CONCURRENTLY :"schemaname".:"indexname";
