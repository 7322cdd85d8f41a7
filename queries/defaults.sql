-- The values that new rows get in columns: every default, and every value that existing rows got when the column was
-- added, of tables and of the partitions that hold their rows. It reads only catalog rows that need no lock on the
-- described tables, and it evaluates nothing. A default is constant if evaluating it calls only immutable functions
-- of PostgreSQL. That is certain if every node of its expression is of a kind that calls only the functions that it
-- names. (pg_depend is not enough: it does not list PostgreSQL's own functions, such as random and nextval.)
WITH RECURSIVE tree (relation, attname, relid) AS (
  SELECT relation, attname, relation
  FROM unnest(:'relations'::oid[], :'attnames'::text[]) AS wanted (relation, attname)
  UNION ALL
  SELECT tree.relation, tree.attname, i.inhrelid
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.relid AND c.relkind = 'p'
  JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
), held AS MATERIALIZED (
  SELECT tree.relation, tree.attname,
         -- The text form of any other type is made by code of the type's owner.
         CASE WHEN COALESCE(base.typtype, t.typtype) = 'e' OR COALESCE(base.oid, t.oid) < 16384
           THEN left((a.attmissingval::text::text[])[1], 100) END AS missing,
         CASE WHEN d.oid IS NULL THEN t.typdefaultbin ELSE d.adbin END AS bin,
         CASE WHEN d.oid IS NULL THEN t.oid ELSE d.oid END AS object,
         CASE WHEN d.oid IS NULL THEN 'pg_catalog.pg_type' ELSE 'pg_catalog.pg_attrdef' END::regclass AS class,
         CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
           ELSE format_type(t.oid, a.atttypmod) END AS type
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
      WHERE node[1] NOT IN ('CONST', 'FUNCEXPR', 'OPEXPR', 'NULLIFEXPR', 'BOOLEXPR', 'RELABELTYPE', 'COLLATE',
        'COLLATEEXPR', 'COERCETODOMAIN'))
    AND NOT EXISTS (
      SELECT FROM regexp_matches(bin::text, ':(?:op)?funcid (\d+)', 'g') AS called
      LEFT JOIN pg_catalog.pg_proc p ON p.oid = called[1]::oid
      WHERE p.provolatile IS DISTINCT FROM 'i' OR p.oid >= 16384) -- 16384 is the first oid of users' objects
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e
      LEFT JOIN pg_catalog.pg_type t ON e.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = e.refobjid
      WHERE e.classid = held.class AND e.objid = held.object
        AND (e.refclassid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass)
          OR t.typtype NOT IN ('e', 'd') AND t.oid >= 16384))
    AND NOT EXISTS ( -- a domain's own check may call anything
      SELECT FROM regexp_matches(bin::text, ':resulttype (\d+)', 'g') AS domain
      JOIN pg_catalog.pg_type t ON t.oid = domain[1]::oid AND t.typtype = 'd'
      LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
      WHERE base.typtype = 'd' OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
        AND bin::text !~ ('^\{COERCETODOMAIN .* :resulttype ' || domain[1]
          || ' :resulttypmod -?\d+ :resultcollid \d+ :coercionformat 2 :location -?\d+\}$'))
    AS constant
  FROM held
)
SELECT DISTINCT relation::int8 AS relation, attname AS column, missing, bin IS NOT NULL AS has_default, constant,
       CASE WHEN constant THEN pg_get_expr(bin, 0) END AS expression, type
FROM judged
WHERE bin IS NOT NULL OR missing IS NOT NULL;
