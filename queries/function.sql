-- The function whose body contains a text. There may be several, for example if each tenant has a schema: then one
-- that indexes or statistics of the given relations call is preferred, or one in the same schema.
SELECT p.oid::regprocedure::text AS function
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE strpos(p.prosrc, :'text') > 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS own (setting) WHERE own.setting LIKE 'search_path=%')
ORDER BY EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = p.oid
      AND (d.classid = 'pg_catalog.pg_class'::regclass
        AND d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (:'relations'::oid[]))
        OR d.classid = 'pg_catalog.pg_statistic_ext'::regclass
        AND d.objid IN (
          SELECT s.oid FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = ANY (:'relations'::oid[])))) DESC,
  p.pronamespace IN (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = ANY (:'relations'::oid[])) DESC,
  p.prosrc = :'text' DESC, 1
LIMIT 1;
