-- Since when the use of indexes has been counted; NULL if the counters are not usable. A crash sets them to zero,
-- which only pg_stat_bgwriter shows. A standby counts only its own reads, not those of its primary.
SELECT CASE WHEN NOT pg_is_in_recovery() AND current_setting('track_counts')::bool
       THEN greatest(b.stats_reset, d.stats_reset) END AS since
FROM pg_catalog.pg_stat_bgwriter b, pg_catalog.pg_stat_database d
WHERE d.datname = current_database();
