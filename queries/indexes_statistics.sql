-- Since when the use of indexes is counted; NULL where the counters say nothing of
-- it. A crash sets them to zero and shows in pg_stat_bgwriter only. A standby counts
-- what is read there, and nothing of what its primary needs an index for.
SELECT CASE WHEN NOT pg_is_in_recovery() AND current_setting('track_counts')::bool
       THEN greatest(b.stats_reset, d.stats_reset) END AS since
FROM pg_catalog.pg_stat_bgwriter b, pg_catalog.pg_stat_database d
WHERE d.datname = current_database();
