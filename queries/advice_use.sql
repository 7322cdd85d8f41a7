-- Whether an index is read: to be asked on every replica, too.
SELECT idx_scan, pg_is_in_recovery() FROM pg_catalog.pg_stat_all_indexes WHERE schemaname = :'schemaname' AND indexrelname = :'indexname';
