-- Only ever to be considered. CONCURRENTLY is not to be had for a partitioned index.
DROP INDEX :"schemaname".:"indexname";
