-- The databases that the role may connect to, except templates and those of hosting providers. activity changes with
-- every row that is written to the database or to the catalogs that all databases share, and whenever these counters
-- start at zero. It is NULL if they prove nothing: on a standby, or if they may be off for some session.
SELECT d.datname::text AS name,
       CASE WHEN NOT pg_is_in_recovery() AND current_setting('track_counts')::bool
           AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_db_role_setting s
             WHERE s.setdatabase IN (0, d.oid) AND array_to_string(s.setconfig, ' ') ~ 'track_counts')
         THEN d.oid || ' ' || pg_postmaster_start_time() || ' '
           || COALESCE(pg_stat_get_db_stat_reset_time(d.oid)::text, 'never') || ' '
           || pg_stat_get_bgwriter_stat_reset_time() || ' ' || own.writes || ' ' || shared.writes END AS activity
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL (
  SELECT concat_ws(' ', pg_stat_get_db_tuples_inserted(d.oid), pg_stat_get_db_tuples_updated(d.oid),
    pg_stat_get_db_tuples_deleted(d.oid)) AS writes) AS own
CROSS JOIN (
  SELECT concat_ws(' ', pg_stat_get_db_tuples_inserted(0), pg_stat_get_db_tuples_updated(0),
    pg_stat_get_db_tuples_deleted(0)) AS writes) AS shared
WHERE d.datallowconn AND NOT d.datistemplate
  AND has_database_privilege(d.oid, 'CONNECT')
  AND d.datname NOT IN ('rdsadmin', 'cloudsqladmin') AND d.datname !~ '^azure_'
ORDER BY d.datname;
