-- Only ever to be considered.
DROP INDEX CONCURRENTLY :"schemaname".:"indexname";
