-- Every column that could mark deleted rows: by its folded name, or because the configuration names its table. It
-- reads only catalog rows that need no lock on the described tables, so that a table in a migration does not hide the
-- others. A privilege on a table that was dropped meanwhile is NULL; the table is then found to be missing when it is
-- counted.
WITH every AS MATERIALIZED ( -- folding is slow, and there are few different names
  SELECT DISTINCT attname FROM pg_catalog.pg_attribute WHERE attnum > 0
), known AS MATERIALIZED (
  SELECT every.attname
  FROM every
  CROSS JOIN LATERAL (SELECT translate(lower(every.attname), $$ !"#$%&'()*+,-./:;<=>?@[\]^_`{|}~$$, '')) f (folded)
  WHERE folded = ANY (:'names'::text[]) OR folded ~ :'similar'
)
SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS relkind,
       c.relpersistence = 'u' AS unlogged,
       a.attname::text AS column, a.attnum, COALESCE(base.typname, t.typname)::text AS type,
       CASE WHEN 'e' IN (t.typtype, base.typtype) THEN
         (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM pg_catalog.pg_enum e WHERE e.enumtypid = COALESCE(base.oid, t.oid))
       END AS labels,
       -- Under our search path "=" is that of PostgreSQL's own types. A type of another kind has its
       -- own, which we call by its name if it is written in C: nothing else may be run as our role.
       CASE WHEN COALESCE(base.oid, t.oid) >= 16384 AND (base.oid IS NOT NULL OR t.typtype <> 'e') THEN
         (SELECT format('%I.%I', own.nspname, COALESCE(base.typname, t.typname))
          FROM pg_catalog.pg_namespace own WHERE own.oid = COALESCE(base.typnamespace, t.typnamespace))
         ELSE '' END AS own_type,
       COALESCE(CASE WHEN COALESCE(base.oid, t.oid) >= 16384 AND COALESCE(base.typtype, t.typtype) = 'b'
           AND COALESCE(base.typcategory, t.typcategory) = 'S' THEN
         (SELECT format('OPERATOR(%I.%s)', own.nspname, o.oprname)
          FROM pg_catalog.pg_opclass class
          JOIN pg_catalog.pg_am method ON method.oid = class.opcmethod AND method.amname = 'btree'
          JOIN pg_catalog.pg_amop entry ON entry.amopfamily = class.opcfamily AND entry.amopstrategy = 3 -- equal
            AND entry.amoplefttype = class.opcintype AND entry.amoprighttype = class.opcintype
          JOIN pg_catalog.pg_operator o ON o.oid = entry.amopopr
          JOIN pg_catalog.pg_namespace own ON own.oid = o.oprnamespace
          JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
          JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname = 'c'
          WHERE class.opcintype = COALESCE(base.oid, t.oid) AND class.opcdefault)
         END, '') AS equality,
       a.attnotnull OR t.typnotnull AS not_null,
       COALESCE((
         -- The unique indexes with a predicate that use the column, in the predicate or in a key.
         SELECT string_agg(DISTINCT i.indexrelid || '/' || i.xmin, ' ')
         FROM pg_catalog.pg_depend mention
         JOIN pg_catalog.pg_index i ON i.indexrelid = mention.objid
         WHERE mention.classid = 'pg_catalog.pg_class'::regclass
           AND mention.refclassid = 'pg_catalog.pg_class'::regclass
           AND mention.refobjid = c.oid AND mention.refobjsubid = a.attnum
           AND i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion) AND i.indisvalid AND i.indpred IS NOT NULL
       ), '') AS uniqueness_version,
       a.attgenerated <> '' AS generated, COALESCE(comment.description, '') AS comment,
       COALESCE(has_schema_privilege(n.oid, 'USAGE'), true) AS usage,
       COALESCE(has_column_privilege(c.oid, a.attnum, 'SELECT'), true) AS readable,
       row_security_active(c.oid) AS row_security, c.relrowsecurity AS has_policies,
       -- The key of an ordinary table, if that is one number which we may read.
       CASE WHEN c.relkind = 'r' AND COALESCE(base.typname, t.typname) IN ('int2', 'int4', 'int8', 'numeric') THEN
         COALESCE((SELECT k.attname::text
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
          WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 AND k.attnum <> a.attnum
            AND k.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
            AND has_column_privilege(c.oid, k.attnum, 'SELECT')), '')
         ELSE '' END AS key,
       COALESCE(c.relkind = 'r' AND am.amname = 'heap', false) AS heap,
       COALESCE(has_column_privilege(c.oid, (-1)::int2, 'SELECT'), false) AS tids -- ctid; some relations have none
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_description comment
  ON comment.classoid = 'pg_catalog.pg_class'::regclass AND comment.objoid = c.oid AND comment.objsubid = a.attnum
WHERE c.relpersistence <> 't'
  AND n.nspname NOT IN ('information_schema', '_timescaledb_internal') AND n.nspname !~ '^pg_'
  AND ((n.nspname, c.relname) IN (SELECT * FROM unnest(:'schemas'::text[], :'relnames'::text[]))
    OR c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attname IN (SELECT attname FROM known)
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'))
ORDER BY n.nspname, c.relname, a.attnum;
