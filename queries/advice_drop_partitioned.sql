-- Only a step to consider. A partitioned index cannot be dropped CONCURRENTLY.
DROP INDEX :"schemaname".:"indexname";
