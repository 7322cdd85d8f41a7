-- The databases that the role may connect to, except templates and those of hosting providers.
SELECT datname::text AS name
FROM pg_catalog.pg_database
WHERE datallowconn AND NOT datistemplate
  AND has_database_privilege(oid, 'CONNECT')
  AND datname NOT IN ('rdsadmin', 'cloudsqladmin') AND datname !~ '^azure_'
ORDER BY datname;
