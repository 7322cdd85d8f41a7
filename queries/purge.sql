-- The purge: a script for people that removes the rows of one table which are past
-- retention, and the same checks as a question of ours. docs/report.md says what the
-- script promises, and each rule below is one of them.
--
-- What checks stands here once. It speaks of:
--   chain            a relation, what it is a partition of, and perhaps its partitions
--   marker_columns   the names of the columns that the purge builds on
--   column_facts     what was known of them when the script was written
--   accepted         triggers that may run, as "name digest-of-their-function"
--   go_along         tables whose rows may be cascaded, as "schema" and "table" in parallel

-- What a purge builds on of the marker columns of relation r: a script that was printed
-- for other columns must not run. pg_get_expr is called for defaults alone, because it
-- locks.
-- question: purge facts
SELECT string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN ' NOT NULL' END,
            CASE WHEN a.attgenerated <> '' THEN ' GENERATED' WHEN a.attidentity <> '' THEN ' IDENTITY' END,
            ' DEFAULT ' || COALESCE(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0))), ', ' ORDER BY a.attname COLLATE "C")
          FROM pg_attribute a
          JOIN pg_type y ON y.oid = a.atttypid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = r.oid AND a.attname = ANY (marker_columns) AND NOT a.attisdropped

-- The values with which rows of the chain are born, or were when the column was added
-- to them: the columns' own defaults or their domains', and missing values. What equals
-- one of them is never purged: a condition on the row purged, or a problem where the value
-- is not one that is as plain as a literal.
-- question: purge births
SELECT CASE WHEN NOT b.allowed THEN format('column %I is of type %s, which is not PostgreSQL''s own', a.attname, b.type)
              WHEN c.constant IS NULL AND v.expression !~ '^NULL' THEN format('the default of column %I is %s: a row may be born deleted', a.attname, v.expression) END AS problem,
            format(' AND purged.%I IS DISTINCT FROM CAST(%s AS %s)', a.attname, c.constant, b.type) AS condition,
            c.constant IS NOT NULL AS plain, b.category = 'D' AND v.expression !~ '^NULL' AS moment
          FROM pg_attribute a
          JOIN pg_type y ON y.oid = a.atttypid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum,
          LATERAL (
            WITH RECURSIVE base AS (SELECT y.* UNION ALL SELECT t.* FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd')
            SELECT format('%I.%I', n.nspname, base.typname) AS type, base.typcategory AS category, format_type(base.oid, NULL) AS words,
              n.nspname = 'pg_catalog' OR base.typtype = 'e' AND base.oid = y.oid AS allowed
            FROM base JOIN pg_namespace n ON n.oid = base.typnamespace WHERE base.typtype <> 'd') b,
          LATERAL (
            SELECT CASE WHEN a.attgenerated = '' AND a.attidentity = '' THEN COALESCE(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0)) END, false
            UNION ALL
            SELECT (a.attmissingval::text::text[])[1], true WHERE a.atthasmissing) v (expression, missing),
          LATERAL (
            SELECT CASE WHEN v.missing THEN quote_literal(v.expression)
              WHEN v.expression ~ '^([(]?-?[0-9]+([.][0-9]+)?[)]?|true|false)$' THEN v.expression
              WHEN v.expression ~ '^''[^'']*''::[a-zA-Z0-9_". ]+$' AND strpos(v.expression, chr(92)) = 0
                AND (b.category <> 'D' OR substring(v.expression FROM '::([a-z ]+)$') = b.words)
                THEN regexp_replace(v.expression, '::[a-zA-Z0-9_". ]+$', '') END) c (constant)
          WHERE a.attrelid = ANY (chain) AND a.attname = ANY (marker_columns) AND NOT a.attisdropped

-- The foreign keys that reference the chain: in which table, as a condition on the rows
-- purged and referencing, whether an index finds the referencing rows, and whether those
-- may be cascaded. Operators are the keys' own: another schema's type has another
-- equality than the one that pg_catalog would find for it. What a partition inherits is
-- its parent's.
-- question: purge keys
SELECT k.oid, k.conname, k.conrelid, k.confdeltype = 'c' AS cascades,
            format('%s%I.%I', CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, c.relname) AS source,
            k.conrelid = ANY (chain) AS itself,
            k.confdeltype = 'c' AND EXISTS (SELECT FROM unnest(go_along_schemas, go_along_tables) AS g (s, t) WHERE g.s = n.nspname AND g.t = c.relname) AS along,
            c.relkind = 'p' OR pg_relation_size(c.oid) > 262144 AS large,
            to_jsonb(k) ->> 'conperiod' = 'true' AS period,
            pair.*
          FROM pg_constraint k
          JOIN pg_class c ON c.oid = k.conrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace,
          LATERAL (
            SELECT string_agg(concat(format('(purged.%I)', pa.attname),
                CASE WHEN lt.typtype <> 'p' THEN format('::%I.%I', ln.nspname, lt.typname) END,
                CASE WHEN pa.attcollation <> ca.attcollation THEN (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
                  FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = pa.attcollation) END,
                format(' OPERATOR(%I.%s) (referencing.%I)', opn.nspname, op.oprname, ca.attname),
                CASE WHEN rt.typtype <> 'p' THEN format('::%I.%I', rn.nspname, rt.typname) END), ' AND ' ORDER BY u.place) AS equal,
              string_agg(format('%I', ca.attname), ', ' ORDER BY u.place) AS columns,
              bool_or(EXISTS (
                SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
                WHERE i.indrelid = k.conrelid AND i.indisvalid AND am.amname IN ('btree', 'hash') AND i.indkey[0] = u.child
                  AND i.indcollation[0] IN (0, pa.attcollation)
                  AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', ca.attname)))) AS indexed
            FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, place)
            JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child
            JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
            JOIN pg_operator op ON op.oid = u.operator
            JOIN pg_namespace opn ON opn.oid = op.oprnamespace
            JOIN pg_type lt ON lt.oid = op.oprleft JOIN pg_namespace ln ON ln.oid = lt.typnamespace
            JOIN pg_type rt ON rt.oid = op.oprright JOIN pg_namespace rn ON rn.oid = rt.typnamespace) pair
          WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY (chain)

-- What is enabled of the triggers of relation c, beside the foreign keys' own, which are
-- PostgreSQL's (tgisinternal also is true of other triggers on partitions in 14): whether
-- they run when a row is deleted, and when a foreign key of it acts. They run once for a
-- statement also where it finds no row.
-- question: purge triggers
SELECT g.tgname, concat(g.tgname, ' ', md5(p.prosrc)) AS identity, format('%I.%I', n.nspname, p.proname) AS function,
            g.tgtype & 8 <> 0 AS deletes,
            g.tgtype & 1 = 0 AND EXISTS (
              SELECT FROM pg_constraint k
              WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = ANY (chain)
                AND (k.confdeltype = 'c' AND g.tgtype & 8 <> 0 OR k.confdeltype IN ('n', 'd') AND g.tgtype & 16 <> 0)) AS acts
          FROM pg_trigger g
          JOIN pg_proc p ON p.oid = g.tgfoid
          JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE g.tgrelid = c.oid AND g.tgenabled IN ('O', 'A')
            AND NOT (n.nspname = 'pg_catalog' AND starts_with(p.proname, 'RI_FKey_'))

-- Why a DELETE of the chain would be none, or not that of the table which the script
-- was written for.
-- question: purge problems
SELECT format('%s is no ordinary table', c.oid::regclass) AS problem
          FROM pg_class c
          WHERE c.oid = ANY (chain) AND NOT (c.relkind = 'p' OR c.relkind = 'r' AND c.relam = 2 OR c.relkind = 'f' AND c.relispartition)
          UNION ALL
          SELECT format('the columns of %s are %s, and were %s', r.oid::regclass, COALESCE(f.facts, 'missing'), column_facts)
          FROM unnest(chain) AS r (oid), LATERAL (:facts) AS f (facts)
          WHERE f.facts IS DISTINCT FROM column_facts
          UNION ALL
          SELECT format('trigger %I of %s would run function %s', g.tgname, min(c.oid)::regclass, g.function)
          FROM pg_class c, LATERAL (:triggers) AS g
          WHERE (c.oid = ANY (chain) AND g.deletes OR g.acts) AND g.identity <> ALL (accepted)
            AND c.oid IN (SELECT unnest(chain) UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain))
          GROUP BY g.tgname, g.function
          UNION ALL
          SELECT format('rule %I of %s would rewrite the DELETE', w.rulename, w.ev_class::regclass)
          FROM pg_rewrite w
          WHERE w.ev_class = ANY (chain) AND w.ev_type = '4' AND w.ev_enabled IN ('O', 'A')
          UNION ALL
          SELECT DISTINCT format('rule %I of %s would rewrite what foreign key %I does', w.rulename, w.ev_class::regclass, k.conname)
          FROM pg_constraint k
          JOIN pg_rewrite w ON w.ev_class = k.conrelid AND w.ev_enabled IN ('O', 'A')
          WHERE k.contype = 'f' AND k.confrelid = ANY (chain) AND (k.confdeltype = 'c' AND w.ev_type = '4' OR k.confdeltype IN ('n', 'd') AND w.ev_type = '2')
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

-- Why rows of relation c may not be cascaded.
-- question: purge along
SELECT format('foreign key %I of %s references it', k.conname, k.conrelid::regclass)
            FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = c.oid
            UNION ALL
            SELECT format('trigger %I would run function %s', g.tgname, g.function) FROM (:triggers) AS g WHERE g.deletes
            UNION ALL
            SELECT format('rule %I would rewrite the DELETE', w.rulename) FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type = '4'
            UNION ALL
            SELECT 'it is no ordinary table' WHERE c.relkind <> 'r'

-- Code of somebody else that would run with the rights of whoever runs the script:
-- functions and operators of indexes, statistics and constraints are run when a statement
-- is planned. What a superuser made is trusted, and what stands on one's own table.
-- question: purge code
SELECT DISTINCT format('%s of %I would run with the rights of %I: connect as the owner of the table, who is no superuser',
            pg_describe_object(x.classid, x.objid, 0), o.rolname, me.rolname) AS problem
          FROM (
            WITH RECURSIVE touched (rel) AS (
              SELECT t.oid
              FROM (SELECT unnest(chain) UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain)
                UNION SELECT p.relid FROM pg_constraint k, pg_partition_tree(k.conrelid) p WHERE k.contype = 'f' AND k.confrelid = ANY (chain)) r (oid)
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
              WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_type'::regclass)
            )
            SELECT * FROM reached) x
          LEFT JOIN pg_proc p ON x.classid = 'pg_proc'::regclass AND p.oid = x.objid
          LEFT JOIN pg_operator q ON x.classid = 'pg_operator'::regclass AND q.oid = x.objid
          JOIN pg_roles o ON o.oid = COALESCE(p.proowner, q.oprowner) AND NOT o.rolsuper AND o.oid <> me.oid

-- What a script for one table would find now, run by the table's owner: the marker columns,
-- and why nothing would be removed. A row for each foreign key that references it.
-- question: purge check
WITH asked AS MATERIALIZED (
  SELECT c.oid AS root, c.relowner, :columns::text[] AS marker_columns, '{}'::text[] AS go_along_schemas, '{}'::text[] AS go_along_tables,
    ARRAY(SELECT c.oid UNION SELECT relid FROM pg_partition_ancestors(c.oid) AS a (relid) UNION SELECT t.relid FROM pg_partition_tree(c.oid) t) AS chain
  FROM pg_class c WHERE c.oid = :'relation'::oid
), seen AS MATERIALIZED (
  SELECT asked.*, (:facts) AS column_facts,
    ARRAY(SELECT DISTINCT g.identity FROM pg_class c, LATERAL (:triggers) AS g
      WHERE g.tgname = ANY (:accepted::text[]) AND (c.oid = ANY (chain) AND g.deletes OR g.acts)
        AND c.oid IN (SELECT unnest(chain) UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain))) AS accepted,
    ARRAY(SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain) AND k.conparentid = 0) AS referencing
  FROM asked, LATERAL (SELECT root AS oid) AS r
)
SELECT column_facts AS facts, me.rolname::text AS owner, accepted, EXISTS (SELECT FROM (:births) AS b WHERE b.moment) AS defaulted, ARRAY(
    :problems
    UNION ALL
    SELECT DISTINCT b.problem FROM (:births) AS b WHERE b.problem IS NOT NULL
    UNION ALL
    SELECT c.problem FROM (:code) AS c
    UNION ALL
    SELECT format('row security hides rows of %s from %I', c.oid::regclass, me.rolname)
    FROM pg_class c
    WHERE c.oid = ANY (chain || referencing) AND c.relrowsecurity AND NOT me.rolsuper AND (c.relforcerowsecurity OR c.relowner <> me.oid)
    UNION ALL
    SELECT format('%I may not %s %s', me.rolname, r.may, c.oid::regclass)
    FROM pg_class c, LATERAL (
      VALUES ('read', 'SELECT', true), ('lock rows of', 'UPDATE', c.oid = ANY (chain)), ('delete from', 'DELETE', c.oid = ANY (chain))) AS r (may, privilege, needed)
    WHERE c.oid = ANY (chain || referencing) AND c.relkind IN ('r', 'p') AND r.needed
      AND NOT (has_table_privilege(me.oid, c.oid, r.privilege) AND has_schema_privilege(me.oid, c.relnamespace, 'USAGE'))
    UNION ALL
    SELECT format('publication %I publishes deletes, and %s has no replica identity', t.pubname, c.oid::regclass)
    FROM pg_class c, pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname AND p.pubdelete
    WHERE c.oid = ANY (chain) AND c.relkind = 'r' AND to_regclass(format('%I.%I', t.schemaname, t.tablename)) = ANY (chain)
      AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
        OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident))
  ) AS problems,
  k.*
FROM seen JOIN pg_roles me ON me.oid = relowner
LEFT JOIN LATERAL (
  SELECT n.nspname::text AS schema, c.relname::text AS name, k.conname::text AS key, k.columns, k.itself, k.period, k.large AND NOT k.indexed AS unindexed,
    k.cascades AND NOT k.itself AND NOT EXISTS (:along) AS cascades
  FROM (:keys) AS k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace) AS k ON true
ORDER BY k.schema, k.name, k.key;

-- Each batch is a transaction of its own. No expression stands between a COMMIT and the
-- search_path that follows it, and types in DECLARE are keywords or qualified: nobody's
-- function, operator or type can come in between.
-- question: purge script
DO $:tag$
#variable_conflict use_variable
DECLARE
  rehearsal constant boolean := :rehearsal;         /* each batch is carried out, and rolled back */
  minutes constant integer := :minutes;              /* then it stops, and is run again */
  rest constant double precision := :rest;    /* after each batch, times what it took */
  by_index constant boolean := :by_index;
  in_database constant pg_catalog.text := :'database';
  in_schema constant pg_catalog.text := :'schemaname';
  in_table constant pg_catalog.text := :'relname';
  marker_columns constant pg_catalog.text[] := :columns;
  column_facts constant pg_catalog.text := :'column_facts';
  accepted constant pg_catalog.text[] := :accepted;
  go_along_schemas constant pg_catalog.text[] := :along_schemas;
  go_along_tables constant pg_catalog.text[] := :along_tables;
  is_old constant pg_catalog.text := $:old_tag$:old$:old_tag$;

  session_path pg_catalog.text;       /* in which accepted triggers run */
  started timestamp with time zone;
  began timestamp with time zone;     /* the batch */
  took double precision;
  pause double precision := 0;
  tries integer := 0;
  root pg_catalog.oid;
  leaf pg_catalog.oid := 0;           /* of a partitioned table, its partitions one by one; at first all are only checked */
  next_leaf boolean := false;
  chain pg_catalog.oid[];             /* what is looked at, and what that is a partition of */
  full_name pg_catalog.text;
  problems pg_catalog.text[];
  not_born pg_catalog.text;           /* a row that equals its defaults is not deleted */
  unreferenced pg_catalog.text;       /* a row that anything references stays, whatever the foreign key would do */
  looked pg_catalog.text;
  itself boolean;                     /* it references itself: its rows go from the leaves up, round by round */
  lookups pg_catalog.text;
  found pg_catalog.tid[];             /* by index: where the old rows are */
  rows pg_catalog.tid[];              /* of the batch */
  place bigint := 0;                  /* the block, or the element of found, that comes next */
  blocks bigint := 0;
  step bigint := 64;
  gone bigint;
  gone_here bigint := 0;
  gone_round bigint := 0;
  gone_all bigint := 0;
  ending pg_catalog.text := '';
BEGIN
  session_path := pg_catalog.current_setting('search_path');
  started := pg_catalog.clock_timestamp();
  COMMIT; /* Inside of a transaction it fails here, with nothing done. */
  <<batches>>
  LOOP
    /* No function, operator or type of anybody else; no guessed zone; no hidden rows. Give
       way to a migration, and see what was committed while a row was waited for. */
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM set_config(s.name, s.value, true)
      FROM (VALUES ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('row_security', 'off'), ('lock_timeout', '500ms'), ('jit', 'off'),
        ('plan_cache_mode', 'force_generic_plan'), ('enable_tidscan', 'on'), ('quote_all_identifiers', 'off'), ('standard_conforming_strings', 'on')) AS s (name, value);
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM pg_sleep(pause);
    began := clock_timestamp();
    gone := 0;
    rows := '{}';
    BEGIN
      /* The locks keep out whoever would change the tables, their triggers, rules and keys. */
      EXECUTE format('LOCK TABLE ONLY %I.%I IN ROW EXCLUSIVE MODE', in_schema, in_table);
      SELECT c.oid INTO STRICT root FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = in_schema AND c.relname = in_table;
      IF next_leaf THEN
        leaf := (
          SELECT min(x.oid)
          FROM (SELECT root UNION SELECT t.relid FROM pg_partition_tree(root) t) x (oid)
          JOIN pg_class c ON c.oid = x.oid
          WHERE c.relkind = 'r' AND c.oid > leaf);
        next_leaf := false; place := 0; blocks := 0; found := NULL; gone_here := 0;
        IF leaf IS NULL AND itself AND gone_round > 0 AND NOT rehearsal THEN
          leaf := 0; gone_round := 0;
        END IF;
        EXIT batches WHEN leaf IS NULL;
      END IF;
      full_name := (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = CASE leaf WHEN 0 THEN root ELSE leaf END);
      IF full_name IS NOT NULL THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', full_name);
      END IF;

      /* Look, lock the rows, look again: a reference that came in between is seen by then. */
      FOR look IN 1 .. 2 LOOP
        chain := ARRAY(SELECT x.oid FROM (
          SELECT to_regclass(full_name)::oid UNION SELECT relid FROM pg_partition_ancestors(to_regclass(full_name)) AS a (relid)
          UNION SELECT t.relid FROM pg_partition_tree(root) t WHERE leaf = 0) AS x (oid) WHERE x.oid IS NOT NULL);
        EXIT WHEN root <> ALL (chain) OR leaf NOT IN (0, to_regclass(full_name)); /* no partition of it any more */
        problems := ARRAY(
          SELECT format('this is database %I, not %I', current_database(), in_database) WHERE current_database() <> in_database
          UNION ALL
          SELECT format('session_replication_role is %s', current_setting('session_replication_role')) WHERE current_setting('session_replication_role') <> 'origin'
          UNION ALL
          SELECT format('row security hides rows of %s from %I', r.oid::regclass, current_user)
          FROM (SELECT unnest(chain) UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY (chain)) AS r (oid)
          WHERE row_security_active(r.oid)
          UNION ALL
          SELECT c.problem
          FROM (SELECT * FROM pg_roles s WHERE s.rolname IN (session_user, current_user) ORDER BY s.rolsuper DESC, s.rolname = current_user DESC LIMIT 1) AS me, LATERAL (:code) AS c
          UNION ALL
          :problems);
        SELECT COALESCE(string_agg(DISTINCT b.condition, '') FILTER (WHERE b.plain), ''), problems || COALESCE(array_agg(DISTINCT b.problem) FILTER (WHERE b.problem IS NOT NULL), '{}')
          INTO not_born, problems
          FROM (:births) AS b;
        SELECT COALESCE(string_agg(format(' AND NOT EXISTS (SELECT FROM %s AS referencing WHERE %s%s)', k.source, k.equal,
              CASE WHEN k.itself THEN ' AND (referencing.ctid OPERATOR(pg_catalog.<>) purged.ctid OR referencing.tableoid OPERATOR(pg_catalog.<>) purged.tableoid)' END), '' ORDER BY k.oid)
              FILTER (WHERE NOT k.along), ''),
            COALESCE(bool_or(k.itself), false),
            CASE WHEN bool_or(k.large) THEN 'off' ELSE 'on' END,
            problems || COALESCE(array_agg(format('foreign key %I of %s needs an index that begins with %s', k.conname, k.conrelid::regclass, k.columns)) FILTER (WHERE k.large AND NOT k.indexed), '{}')
              || COALESCE(array_agg(format('foreign key %I of %s is one of periods', k.conname, k.conrelid::regclass)) FILTER (WHERE k.period), '{}')
          INTO unreferenced, itself, lookups, problems
          FROM (:keys) AS k;
        IF cardinality(problems) > 0 THEN
          RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('%s: nothing more is removed: %s', full_name, array_to_string(problems, '; '));
        END IF;
        EXIT WHEN leaf = 0;

        IF look = 2 THEN
          IF unreferenced <> looked THEN
            RAISE serialization_failure USING MESSAGE = format('%s: its foreign keys change', full_name);
          END IF;
          IF cardinality(accepted) > 0 THEN
            PERFORM set_config('search_path', session_path, true);
          END IF;
          EXECUTE pg_catalog.format('DELETE FROM ONLY %s AS purged WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)%s', full_name, unreferenced) USING rows;
          GET DIAGNOSTICS gone = ROW_COUNT;
          PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
          IF rehearsal THEN
            RAISE EXCEPTION USING ERRCODE = 'PURGE';
          END IF;
          EXIT;
        END IF;

        /* A reference is looked up in its index, row by row: never a large table for a batch. */
        PERFORM set_config('enable_hashjoin', lookups, true), set_config('enable_mergejoin', lookups, true);
        looked := unreferenced;
        IF by_index THEN
          IF found IS NULL THEN
            EXECUTE format('SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE (%s)%s%s LIMIT 1000000)', full_name, is_old, not_born, unreferenced) INTO found;
            found := ARRAY(SELECT t.id FROM unnest(found) AS t (id) ORDER BY t.id);
            blocks := cardinality(found);
          END IF;
          EXECUTE format('SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE ctid = ANY ($1) AND (%s)%s%s FOR UPDATE SKIP LOCKED)', full_name, is_old, not_born, unreferenced)
            INTO rows USING found[place + 1 : place + step * 16];
        ELSE
          /* CASE, because this is a walk: no batch reads an index. */
          IF place = 0 THEN
            blocks := pg_relation_size(leaf) / current_setting('block_size')::bigint;
          END IF;
          EXECUTE format('SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE ctid >= $1 AND ctid < $2 AND CASE WHEN (%s)%s THEN true END%s FOR UPDATE SKIP LOCKED)', full_name, is_old, not_born, unreferenced)
            INTO rows USING format('(%s,0)', place)::tid, format('(%s,0)', least(place + step, 4294967295))::tid;
        END IF;
        EXIT WHEN cardinality(rows) = 0;
      END LOOP;
    EXCEPTION
      WHEN SQLSTATE 'PURGE' THEN
        NULL;
      WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
        tries := tries + 1;
        IF tries >= 10 THEN
          RAISE;
        END IF;
        gone := -1;
    END;

    took := extract(epoch FROM clock_timestamp() - began);
    IF gone < 0 THEN
      pause := tries * 0.5;
      step := greatest(1, step / 2);
    ELSE
      tries := 0;
      gone_here := gone_here + gone; gone_round := gone_round + gone; gone_all := gone_all + gone;
      pause := least(10, took * rest);
      place := place + step * CASE WHEN by_index THEN 16 ELSE 1 END;
      IF took < 0.1 THEN
        step := least(2048, step * 2);
      ELSIF took > 0.3 THEN
        step := greatest(1, step / 2);
      END IF;
      IF leaf = 0 OR place >= blocks THEN
        IF cardinality(found) = 1000000 AND gone_here > 0 AND NOT rehearsal THEN
          place := 0; found := NULL; gone_here := 0; /* there may be more than the list held */
        ELSE
          next_leaf := true;
        END IF;
      END IF;
    END IF;
    IF clock_timestamp() - started > minutes * interval '1 minute' THEN
      ending := format(' It stopped after %s minutes: run it again.', minutes);
      EXIT;
    END IF;
    COMMIT;
  END LOOP;
  IF rehearsal THEN
    IF itself THEN
      ending := ' More would follow: the table references itself.' || ending;
    END IF;
    RAISE NOTICE 'Rehearsal for %: it would remove % row%.%', in_table, gone_all, CASE gone_all WHEN 1 THEN '' ELSE 's' END, ending;
  ELSE
    RAISE NOTICE 'Purge of %: removed % row%.%', in_table, gone_all, CASE gone_all WHEN 1 THEN '' ELSE 's' END, ending;
  END IF;
END
$:tag$;
