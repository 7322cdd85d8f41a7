-- What the rows of columns are born with: of tables, and of the partitions that hold their
-- rows, every default and every value that rows had when the column was added to them. It
-- reads catalogs whose rows need no lock on the tables that they describe, and runs
-- nothing. A default is constant if evaluating it can call nothing but immutable functions
-- of PostgreSQL's own: every node of its expression is of a kind that calls the functions
-- which it names, and no others. (pg_depend alone does not tell: it does not know of
-- functions that came with PostgreSQL, such as random and nextval.)
WITH RECURSIVE tree (relation, attname, relid) AS (
  SELECT relation, attname, relation FROM unnest(:'relations'::oid[], :'attnames'::text[]) AS wanted (relation, attname)
  UNION ALL
  SELECT tree.relation, tree.attname, i.inhrelid
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.relid AND c.relkind = 'p'
  JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
), held AS MATERIALIZED (
  SELECT tree.relation, tree.attname,
         CASE WHEN COALESCE(base.typtype, t.typtype) = 'e' OR COALESCE(base.oid, t.oid) < 16384 -- or the type's owner wrote what makes a text of it
           THEN left((a.attmissingval::text::text[])[1], 100) END AS missing,
         CASE WHEN d.oid IS NULL THEN t.typdefaultbin ELSE d.adbin END AS bin,
         CASE WHEN d.oid IS NULL THEN t.oid ELSE d.oid END AS object,
         CASE WHEN d.oid IS NULL THEN 'pg_catalog.pg_type' ELSE 'pg_catalog.pg_attrdef' END::regclass AS class,
         CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(t.oid, a.atttypmod) END AS type
  FROM tree
  JOIN pg_catalog.pg_attribute a ON a.attrelid = tree.relid AND a.attname = tree.attname AND a.attnum > 0
    AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = tree.relid AND d.adnum = a.attnum
), judged AS (
  SELECT held.*, bin IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM regexp_matches(bin::text, '\{([A-Z_]+)', 'g') AS node
      WHERE node[1] NOT IN ('CONST', 'FUNCEXPR', 'OPEXPR', 'NULLIFEXPR', 'BOOLEXPR', 'RELABELTYPE', 'COLLATE', 'COLLATEEXPR',
        'COERCETODOMAIN'))
    AND NOT EXISTS (
      SELECT FROM regexp_matches(bin::text, ':(?:op)?funcid (\d+)', 'g') AS called
      LEFT JOIN pg_catalog.pg_proc p ON p.oid = called[1]::oid
      WHERE p.provolatile IS DISTINCT FROM 'i' OR p.oid >= 16384) -- the first that PostgreSQL gives to a user
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e
      LEFT JOIN pg_catalog.pg_type t ON e.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = e.refobjid
      WHERE e.classid = held.class AND e.objid = held.object
        AND (e.refclassid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass)
          OR t.typtype NOT IN ('e', 'd') AND t.oid >= 16384))
    AND NOT EXISTS ( -- that of a domain is checked by what its owner wrote
      SELECT FROM regexp_matches(bin::text, ':resulttype (\d+)', 'g') AS domain
      JOIN pg_catalog.pg_type t ON t.oid = domain[1]::oid AND t.typtype = 'd'
      LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
      WHERE base.typtype = 'd' OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
        AND bin::text !~ ('^\{COERCETODOMAIN .* :resulttype ' || domain[1] || ' :resulttypmod -?\d+ :resultcollid \d+ :coercionformat 2 :location -?\d+\}$'))
    AS constant
  FROM held
)
SELECT DISTINCT relation::int8 AS relation, attname AS column, missing, bin IS NOT NULL AS has_default, constant,
       CASE WHEN constant THEN pg_get_expr(bin, 0) END AS expression, type
FROM judged
WHERE bin IS NOT NULL OR missing IS NOT NULL;
