-- Only a step to consider.
DROP INDEX CONCURRENTLY :"schemaname".:"indexname";
