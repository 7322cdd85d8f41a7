-- Whether an index is read. Run it on each replica, too.
SELECT idx_scan, pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_stat_all_indexes
WHERE schemaname OPERATOR(pg_catalog.=) :'schemaname' AND indexrelname OPERATOR(pg_catalog.=) :'indexname';
