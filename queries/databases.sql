-- The databases that we may connect to, but for templates and the providers' own.
SELECT datname::text AS name
FROM pg_catalog.pg_database
WHERE datallowconn AND NOT datistemplate
  AND has_database_privilege(oid, 'CONNECT')
  AND datname NOT IN ('rdsadmin', 'cloudsqladmin') AND datname !~ '^azure_'
ORDER BY datname;
