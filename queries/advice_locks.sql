-- Who keeps tables of this database from being read, and since when.
SELECT l.relation::regclass AS locked, a.pid, a.usename AS role, a.application_name, a.state, a.xact_start, a.query
FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.xact_start;
