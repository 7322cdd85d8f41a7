-- The checks of the purge. The printed script makes them, and so does the exporter before it prints one.
-- docs/report.md says what the script guarantees; each check belongs to one of these guarantees.
--
-- The checks use these variables:
--   chain            a relation, the tables of which it is a partition, and possibly its partitions
--   marker_columns   the names of the marker columns
--   column_facts     what was known about these columns when the script was printed
--   accepted         triggers that may run, as "name digest-of-their-function"
--   go_along         tables whose rows may be deleted by cascade, as "schema" and "table" in parallel

-- What a purge needs to know about the marker columns of relation r: a script that was printed for other columns must
-- not run. pg_get_expr takes a lock, so it is called only for defaults.
-- question: purge facts
SELECT string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN ' NOT NULL' END,
            CASE WHEN a.attgenerated <> '' THEN ' GENERATED' WHEN a.attidentity <> '' THEN ' IDENTITY' END,
            ' DEFAULT ' || COALESCE(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0))),
            ', ' ORDER BY a.attname COLLATE "C")
          FROM pg_attribute a
          JOIN pg_type y ON y.oid = a.atttypid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = r.oid AND a.attname = ANY (marker_columns) AND NOT a.attisdropped

-- The values that rows of the chain get in marker columns when they are inserted, or got when the column was added:
-- defaults of the columns or of their domains, and missing values. A row with such a value is never purged. For a
-- literal this is a condition on the purged row; any other value is a problem.
-- question: purge births
SELECT CASE
              WHEN NOT b.allowed
                THEN format('column %I is of type %s, which is not PostgreSQL''s own', a.attname, b.type)
              WHEN c.constant IS NULL AND v.expression !~ '^NULL'
                THEN format('the default of column %I is %s: a row may be born deleted', a.attname, v.expression)
            END AS problem,
            format(' AND purged.%I IS DISTINCT FROM CAST(%s AS %s)', a.attname, c.constant, b.type) AS condition,
            c.constant IS NOT NULL AS plain, b.category = 'D' AND v.expression !~ '^NULL' AS moment
          FROM pg_attribute a
          JOIN pg_type y ON y.oid = a.atttypid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum,
          LATERAL (
            WITH RECURSIVE base AS (
              SELECT y.* UNION ALL
              SELECT t.* FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd')
            SELECT format('%I.%I', n.nspname, base.typname) AS type, base.typcategory AS category,
              format_type(base.oid, NULL) AS words,
              n.nspname = 'pg_catalog' OR base.typtype = 'e' AND base.oid = y.oid AS allowed
            FROM base JOIN pg_namespace n ON n.oid = base.typnamespace WHERE base.typtype <> 'd') b,
          LATERAL (
            SELECT CASE WHEN a.attgenerated = '' AND a.attidentity = ''
                THEN COALESCE(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0)) END, false
            UNION ALL
            SELECT (a.attmissingval::text::text[])[1], true WHERE a.atthasmissing) v (expression, missing),
          LATERAL (
            SELECT CASE WHEN v.missing THEN quote_literal(v.expression)
              WHEN v.expression ~ '^([(]?-?[0-9]+([.][0-9]+)?[)]?|true|false)$' THEN v.expression
              WHEN v.expression ~ '^''[^'']*''::[a-zA-Z0-9_". ]+$' AND strpos(v.expression, chr(92)) = 0
                AND (b.category <> 'D' OR substring(v.expression FROM '::([a-z ]+)$') = b.words)
                THEN regexp_replace(v.expression, '::[a-zA-Z0-9_". ]+$', '') END) c (constant)
          WHERE a.attrelid = ANY (chain) AND a.attname = ANY (marker_columns) AND NOT a.attisdropped

-- The foreign keys that reference the chain: the referencing table, a condition that compares the purged row with a
-- referencing one, whether an index finds the referencing rows, and whether these may be deleted by cascade. The
-- condition uses the key's own operator: a type of another schema may have another equality than pg_catalog's. A
-- partition's inherited key is left out, because its parent's is included.
-- question: purge keys
SELECT k.oid, k.conname, k.conrelid, k.confdeltype = 'c' AS cascades,
            format('%s%I.%I', CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, c.relname) AS source,
            k.conrelid = ANY (chain) AS itself,
            k.confdeltype = 'c' AND EXISTS (SELECT FROM unnest(go_along_schemas, go_along_tables) AS g (s, t)
              WHERE g.s = n.nspname AND g.t = c.relname) AS along,
            c.relkind = 'p' OR pg_relation_size(c.oid) > 262144 AS large,
            to_jsonb(k) ->> 'conperiod' = 'true' AS period,
            pair.*
          FROM pg_constraint k
          JOIN pg_class c ON c.oid = k.conrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace,
          LATERAL (
            SELECT string_agg(concat(format('(purged.%I)', pa.attname),
                CASE WHEN lt.typtype <> 'p' THEN format('::%I.%I', ln.nspname, lt.typname) END,
                CASE WHEN pa.attcollation <> ca.attcollation THEN (
                  SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
                  FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                  WHERE co.oid = pa.attcollation) END,
                format(' OPERATOR(%I.%s) (referencing.%I)', opn.nspname, op.oprname, ca.attname),
                CASE WHEN rt.typtype <> 'p' THEN format('::%I.%I', rn.nspname, rt.typname) END),
                ' AND ' ORDER BY u.place) AS equal,
              string_agg(format('%I', ca.attname), ', ' ORDER BY u.place) AS columns,
              bool_or(EXISTS (
                SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
                WHERE i.indrelid = k.conrelid AND i.indisvalid AND am.amname IN ('btree', 'hash')
                  AND i.indkey[0] = u.child
                  AND i.indcollation[0] IN (0, pa.attcollation)
                  AND (i.indpred IS NULL
                    OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', ca.attname)))) AS indexed
            FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, place)
            JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child
            JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
            JOIN pg_operator op ON op.oid = u.operator
            JOIN pg_namespace opn ON opn.oid = op.oprnamespace
            JOIN pg_type lt ON lt.oid = op.oprleft JOIN pg_namespace ln ON ln.oid = lt.typnamespace
            JOIN pg_type rt ON rt.oid = op.oprright JOIN pg_namespace rn ON rn.oid = rt.typnamespace) pair
          WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY (chain)

-- The enabled triggers of relation c, without those of foreign keys, which are PostgreSQL's own (in version 14,
-- tgisinternal is also true for other triggers on partitions): whether they run when a row is deleted, and whether
-- they run when a foreign key of c acts. A statement trigger also runs if the statement finds no row.
-- question: purge triggers
SELECT g.tgname, concat(g.tgname, ' ', md5(p.prosrc)) AS identity, format('%I.%I', n.nspname, p.proname) AS function,
            g.tgtype & 8 <> 0 AS deletes,
            g.tgtype & 1 = 0 AND EXISTS (
              SELECT FROM pg_constraint k
              WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = ANY (chain)
                AND (k.confdeltype = 'c' AND g.tgtype & 8 <> 0
                  OR k.confdeltype IN ('n', 'd') AND g.tgtype & 16 <> 0)) AS acts
          FROM pg_trigger g
          JOIN pg_proc p ON p.oid = g.tgfoid
          JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE g.tgrelid = c.oid AND g.tgenabled IN ('O', 'A')
            AND NOT (n.nspname = 'pg_catalog' AND starts_with(p.proname, 'RI_FKey_'))

-- Why a DELETE on the chain might do something else, or act on another table than the one that the script was printed
-- for.
-- question: purge problems
SELECT format('%s is not an ordinary table', c.oid::regclass) AS problem
          FROM pg_class c
          WHERE c.oid = ANY (chain)
            AND NOT (c.relkind = 'p' OR c.relkind = 'r' AND c.relam = 2 OR c.relkind = 'f' AND c.relispartition)
          UNION ALL
          SELECT format('the columns of %s are %s, and were %s', r.oid::regclass, COALESCE(f.facts, 'missing'),
            column_facts)
          FROM unnest(chain) AS r (oid), LATERAL (:facts) AS f (facts)
          WHERE f.facts IS DISTINCT FROM column_facts
          UNION ALL
          SELECT format('trigger %I of %s would run function %s', g.tgname, min(c.oid)::regclass, g.function)
          FROM pg_class c, LATERAL (:triggers) AS g
          WHERE (c.oid = ANY (chain) AND g.deletes OR g.acts) AND g.identity <> ALL (accepted)
            AND c.oid IN (SELECT unnest(chain) UNION
              SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain))
          GROUP BY g.tgname, g.function
          UNION ALL
          SELECT format('rule %I of %s would rewrite the DELETE', w.rulename, w.ev_class::regclass)
          FROM pg_rewrite w
          WHERE w.ev_class = ANY (chain) AND w.ev_type = '4' AND w.ev_enabled IN ('O', 'A')
          UNION ALL
          SELECT DISTINCT format('rule %I of %s would rewrite what foreign key %I does', w.rulename,
            w.ev_class::regclass, k.conname)
          FROM pg_constraint k
          JOIN pg_rewrite w ON w.ev_class = k.conrelid AND w.ev_enabled IN ('O', 'A')
          WHERE k.contype = 'f' AND k.confrelid = ANY (chain)
            AND (k.confdeltype = 'c' AND w.ev_type = '4' OR k.confdeltype IN ('n', 'd') AND w.ev_type = '2')
          UNION ALL
          SELECT format('foreign key %I of %s is switched off', k.conname, k.conrelid::regclass)
          FROM pg_constraint k
          WHERE k.contype = 'f' AND k.confrelid = ANY (chain)
            AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A'))
          UNION ALL
          SELECT format('%s cannot go along: %s', c.oid::regclass, w.why)
          FROM unnest(go_along_schemas, go_along_tables) AS along (s, t)
          JOIN pg_namespace n ON n.nspname = along.s
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = along.t, LATERAL (:along) AS w (why)

-- Why rows of relation c must not be deleted by cascade.
-- question: purge along
SELECT format('foreign key %I of %s references it', k.conname, k.conrelid::regclass)
            FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = c.oid
            UNION ALL
            SELECT format('trigger %I would run function %s', g.tgname, g.function)
            FROM (:triggers) AS g WHERE g.deletes
            UNION ALL
            SELECT format('rule %I would rewrite the DELETE', w.rulename)
            FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type = '4'
            UNION ALL
            SELECT 'it is not an ordinary table' WHERE c.relkind <> 'r'

-- Code of another role that would run with the rights of the role that runs the script: planning a statement runs
-- functions and operators of indexes, statistics and constraints. Code of superusers is trusted, and code on one's own
-- tables.
-- question: purge code
SELECT DISTINCT
            format('%s of %I would run with the rights of %I: connect as the owner of the table, who is no superuser',
            pg_describe_object(x.classid, x.objid, 0), o.rolname, me.rolname) AS problem
          FROM (
            WITH RECURSIVE touched (rel) AS (
              SELECT t.oid
              FROM (SELECT unnest(chain)
                UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain)
                UNION SELECT p.relid FROM pg_constraint k, pg_partition_tree(k.conrelid) p
                  WHERE k.contype = 'f' AND k.confrelid = ANY (chain)) r (oid)
              JOIN pg_class t ON t.oid = r.oid
              WHERE t.relowner <> me.oid OR me.rolsuper
            ), reached (classid, objid) AS (
              SELECT 'pg_class'::regclass::oid, rel FROM touched
              UNION SELECT 'pg_class'::regclass, i.indexrelid FROM touched JOIN pg_index i ON i.indrelid = rel
              UNION SELECT 'pg_constraint'::regclass, k.oid FROM touched JOIN pg_constraint k ON k.conrelid = rel
              UNION SELECT 'pg_statistic_ext'::regclass, s.oid FROM touched JOIN pg_statistic_ext s ON s.stxrelid = rel
              UNION SELECT 'pg_attrdef'::regclass, a.oid FROM touched JOIN pg_attrdef a ON a.adrelid = rel
              UNION SELECT 'pg_trigger'::regclass, g.oid FROM touched JOIN pg_trigger g ON g.tgrelid = rel
              UNION
              SELECT d.refclassid, d.refobjid
              FROM reached JOIN pg_depend d ON d.classid = reached.classid AND d.objid = reached.objid
              WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass,
                'pg_opfamily'::regclass, 'pg_type'::regclass)
            )
            SELECT * FROM reached) x
          LEFT JOIN pg_proc p ON x.classid = 'pg_proc'::regclass AND p.oid = x.objid
          LEFT JOIN pg_operator q ON x.classid = 'pg_operator'::regclass AND q.oid = x.objid
          JOIN pg_roles o ON o.oid = COALESCE(p.proowner, q.oprowner) AND NOT o.rolsuper AND o.oid <> me.oid

-- What the script for one table would find now if the table's owner ran it: the marker columns, and why it would
-- remove nothing. There is one row for each foreign key that references the table.
-- question: purge check
WITH asked AS MATERIALIZED (
  SELECT c.oid AS root, c.relowner, :columns::text[] AS marker_columns,
    '{}'::text[] AS go_along_schemas, '{}'::text[] AS go_along_tables,
    ARRAY(SELECT c.oid UNION SELECT relid FROM pg_partition_ancestors(c.oid) AS a (relid)
      UNION SELECT t.relid FROM pg_partition_tree(c.oid) t) AS chain
  FROM pg_class c WHERE c.oid = :'relation'::oid
), seen AS MATERIALIZED (
  SELECT asked.*, (:facts) AS column_facts,
    ARRAY(SELECT DISTINCT g.identity FROM pg_class c, LATERAL (:triggers) AS g
      WHERE g.tgname = ANY (:accepted::text[]) AND (c.oid = ANY (chain) AND g.deletes OR g.acts)
        AND c.oid IN (SELECT unnest(chain) UNION
          SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain))) AS accepted,
    ARRAY(SELECT k.conrelid FROM pg_constraint k
      WHERE k.contype = 'f' AND k.confrelid = ANY (chain) AND k.conparentid = 0) AS referencing
  FROM asked, LATERAL (SELECT root AS oid) AS r
)
SELECT column_facts AS facts, me.rolname::text AS owner, accepted,
  EXISTS (SELECT FROM (:births) AS b WHERE b.moment) AS defaulted,
  ARRAY(
    :problems
    UNION ALL
    SELECT DISTINCT b.problem FROM (:births) AS b WHERE b.problem IS NOT NULL
    UNION ALL
    SELECT c.problem FROM (:code) AS c
    UNION ALL
    SELECT format('row security hides rows of %s from %I', c.oid::regclass, me.rolname)
    FROM pg_class c
    WHERE c.oid = ANY (chain || referencing) AND c.relrowsecurity AND NOT me.rolsuper
      AND (c.relforcerowsecurity OR c.relowner <> me.oid)
    UNION ALL
    SELECT format('%I may not %s %s', me.rolname, r.may, c.oid::regclass)
    FROM pg_class c, LATERAL (
      VALUES ('read', 'SELECT', true),
        ('lock rows of', 'UPDATE', c.oid = ANY (chain)),
        ('delete from', 'DELETE', c.oid = ANY (chain))) AS r (may, privilege, needed)
    WHERE c.oid = ANY (chain || referencing) AND c.relkind IN ('r', 'p') AND r.needed
      AND NOT (has_table_privilege(me.oid, c.oid, r.privilege)
        AND has_schema_privilege(me.oid, c.relnamespace, 'USAGE'))
    UNION ALL
    -- The action of a foreign key writes to the referencing table, even if it finds no row there.
    SELECT format('publication %I publishes %s, and %s has no replica identity', t.pubname, w.writes, c.oid::regclass)
    FROM (
      SELECT unnest(chain) AS oid, 'deletes' AS writes
      UNION
      SELECT r.relid, CASE k.confdeltype WHEN 'c' THEN 'deletes' ELSE 'updates' END
      FROM pg_constraint k, LATERAL (
        SELECT k.conrelid AS relid UNION SELECT tree.relid FROM pg_partition_tree(k.conrelid) AS tree) AS r
      WHERE k.contype = 'f' AND k.confrelid = ANY (chain) AND k.confdeltype IN ('c', 'n', 'd')) AS w
    JOIN pg_class c ON c.oid = w.oid AND c.relkind = 'r'
    JOIN pg_publication_tables t ON to_regclass(format('%I.%I', t.schemaname, t.tablename)) IN (
      SELECT c.oid UNION SELECT a.relid FROM pg_partition_ancestors(c.oid) AS a (relid))
    JOIN pg_publication p ON p.pubname = t.pubname
      AND CASE w.writes WHEN 'deletes' THEN p.pubdelete ELSE p.pubupdate END
    WHERE c.relreplident = 'n'
      OR c.relreplident = 'd' AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
      OR c.relreplident = 'i' AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
  ) AS problems,
  k.*
FROM seen JOIN pg_roles me ON me.oid = relowner
LEFT JOIN LATERAL (
  SELECT k.oid::int8 AS key_oid, n.nspname::text AS schema, c.relname::text AS name, k.conname::text AS key, k.columns,
    k.itself, k.period, k.large AND NOT k.indexed AS unindexed,
    k.cascades AND NOT k.itself AND NOT EXISTS (:along) AS cascades
  FROM (:keys) AS k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace) AS k ON true
ORDER BY k.schema, k.name, k.key;
