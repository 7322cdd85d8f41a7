-- The script of a purge. It contains the checks of purge.sql.

-- Each batch is a separate transaction. There is no expression between a COMMIT and the next search_path, and types in
-- DECLARE are keywords or qualified, so that no other role's function, operator or type can be used.
-- question: purge script
DO $:tag$
#variable_conflict use_variable
DECLARE
  rehearsal constant boolean := :rehearsal;         /* each batch is rolled back */
  minutes constant integer := :minutes;              /* after this time it stops and can be run again */
  rest constant double precision := :rest;    /* pause after each batch, as a multiple of its duration */
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

  session_path pg_catalog.text;       /* the search_path for accepted triggers */
  started timestamp with time zone;
  began timestamp with time zone;     /* when the batch began */
  took double precision;
  pause double precision := 0;
  tries integer := 0;
  root pg_catalog.oid;
  leaf pg_catalog.oid := 0;           /* the table, or one of its partitions; 0 while all are only checked */
  next_leaf boolean := false;
  chain pg_catalog.oid[];             /* the leaf, and the tables of which it is a partition */
  full_name pg_catalog.text;
  problems pg_catalog.text[];
  not_born pg_catalog.text;           /* condition: the markers do not equal their defaults */
  unreferenced pg_catalog.text;       /* condition: no row references it, whatever the foreign key's action is */
  looked pg_catalog.text;
  itself boolean;                     /* it references itself: each round removes the rows that nothing references */
  lookups pg_catalog.text;
  found pg_catalog.tid[];             /* by_index: the old rows */
  rows pg_catalog.tid[];              /* the rows of the batch */
  place bigint := 0;                  /* the next block, or the next element of found */
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
  COMMIT; /* Inside a transaction block this fails before anything is done. */
  <<batches>>
  LOOP
    /* Use PostgreSQL's own functions, operators and types, one time zone, and no hidden rows. Give way to migrations.
       See what was committed while waiting for a row. */
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM set_config(s.name, s.value, true)
      FROM (VALUES ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('row_security', 'off'),
        ('lock_timeout', '500ms'), ('jit', 'off'), ('plan_cache_mode', 'force_generic_plan'), ('enable_tidscan', 'on'),
        ('quote_all_identifiers', 'off'), ('standard_conforming_strings', 'on')) AS s (name, value);
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM pg_sleep(pause);
    began := clock_timestamp();
    gone := 0;
    rows := '{}';
    BEGIN
      /* The locks prevent changes of the tables, their triggers, rules and keys. */
      EXECUTE format('LOCK TABLE ONLY %I.%I IN ROW EXCLUSIVE MODE', in_schema, in_table);
      SELECT c.oid INTO STRICT root
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = in_schema AND c.relname = in_table;
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
      full_name := (
        SELECT format('%I.%I', n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = CASE leaf WHEN 0 THEN root ELSE leaf END);
      IF full_name IS NOT NULL THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', full_name);
      END IF;

      /* Look, lock the rows, look again: the second look sees a reference that was added before the lock. */
      FOR look IN 1 .. 2 LOOP
        chain := ARRAY(SELECT x.oid FROM (
          SELECT to_regclass(full_name)::oid
          UNION SELECT relid FROM pg_partition_ancestors(to_regclass(full_name)) AS a (relid)
          UNION SELECT t.relid FROM pg_partition_tree(root) t WHERE leaf = 0) AS x (oid) WHERE x.oid IS NOT NULL);
        EXIT WHEN root <> ALL (chain) OR leaf NOT IN (0, to_regclass(full_name)); /* it is no longer a partition */
        problems := ARRAY(
          SELECT format('this is database %I, not %I', current_database(), in_database)
          WHERE current_database() <> in_database
          UNION ALL
          SELECT format('session_replication_role is %s', current_setting('session_replication_role'))
          WHERE current_setting('session_replication_role') <> 'origin'
          UNION ALL
          SELECT format('row security hides rows of %s from %I', r.oid::regclass, current_user)
          FROM (SELECT unnest(chain) UNION SELECT k.conrelid FROM pg_constraint k
            WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY (chain)) AS r (oid)
          WHERE row_security_active(r.oid)
          UNION ALL
          SELECT c.problem
          FROM (
            SELECT * FROM pg_roles s WHERE s.rolname IN (session_user, current_user)
            ORDER BY s.rolsuper DESC, s.rolname = current_user DESC LIMIT 1) AS me, LATERAL (:code) AS c
          UNION ALL
          :problems);
        SELECT COALESCE(string_agg(DISTINCT b.condition, '') FILTER (WHERE b.plain), ''), problems
            || COALESCE(array_agg(DISTINCT b.problem) FILTER (WHERE b.problem IS NOT NULL), '{}')
          INTO not_born, problems
          FROM (:births) AS b;
        SELECT COALESCE(string_agg(
              format(' AND NOT EXISTS (SELECT FROM %s AS referencing WHERE %s%s)', k.source, k.equal,
                CASE WHEN k.itself THEN ' AND (referencing.ctid OPERATOR(pg_catalog.<>) purged.ctid'
                  || ' OR referencing.tableoid OPERATOR(pg_catalog.<>) purged.tableoid)' END),
              '' ORDER BY k.oid) FILTER (WHERE NOT k.along), ''),
            COALESCE(bool_or(k.itself), false),
            CASE WHEN bool_or(k.large) THEN 'off' ELSE 'on' END,
            problems
              || COALESCE(array_agg(format('foreign key %I of %s needs an index that begins with %s', k.conname,
                k.conrelid::regclass, k.columns)) FILTER (WHERE k.large AND NOT k.indexed), '{}')
              || COALESCE(array_agg(format('foreign key %I of %s uses PERIOD', k.conname,
                k.conrelid::regclass)) FILTER (WHERE k.period), '{}')
          INTO unreferenced, itself, lookups, problems
          FROM (:keys) AS k;
        IF cardinality(problems) > 0 THEN
          RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('%s: nothing more is removed: %s', full_name, array_to_string(problems, '; '));
        END IF;
        EXIT WHEN leaf = 0;

        IF look = 2 THEN
          IF unreferenced <> looked THEN
            RAISE serialization_failure USING MESSAGE = format('%s: its foreign keys change', full_name);
          END IF;
          IF cardinality(accepted) > 0 THEN
            PERFORM set_config('search_path', session_path, true);
          END IF;
          EXECUTE pg_catalog.format('DELETE FROM ONLY %s AS purged WHERE ctid'
            ' OPERATOR(pg_catalog.=) ANY ($1)%s', full_name, unreferenced) USING rows;
          GET DIAGNOSTICS gone = ROW_COUNT;
          PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
          IF rehearsal THEN
            RAISE EXCEPTION USING ERRCODE = 'PURGE';
          END IF;
          EXIT;
        END IF;

        /* Look references up row by row in an index, so that no batch reads a large referencing table. */
        PERFORM set_config('enable_hashjoin', lookups, true), set_config('enable_mergejoin', lookups, true);
        looked := unreferenced;
        IF by_index THEN
          IF found IS NULL THEN
            EXECUTE format(
              'SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE (%s)%s%s LIMIT 1000000)',
              full_name, is_old, not_born, unreferenced) INTO found;
            found := ARRAY(SELECT t.id FROM unnest(found) AS t (id) ORDER BY t.id);
            blocks := cardinality(found);
          END IF;
          EXECUTE format('SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE ctid = ANY ($1)'
            ' AND (%s)%s%s FOR UPDATE SKIP LOCKED)', full_name, is_old, not_born, unreferenced)
            INTO rows USING found[place + 1 : place + step * 16];
        ELSE
          /* CASE keeps the planner from using an index: each batch reads its blocks. */
          IF place = 0 THEN
            blocks := pg_relation_size(leaf) / current_setting('block_size')::bigint;
          END IF;
          EXECUTE format('SELECT ARRAY(SELECT ctid FROM ONLY %s AS purged WHERE ctid >= $1 AND ctid < $2'
            ' AND CASE WHEN (%s)%s THEN true END%s FOR UPDATE SKIP LOCKED)', full_name, is_old, not_born, unreferenced)
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
          place := 0; found := NULL; gone_here := 0; /* there may be more rows than the list can hold */
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
      ending := ' A purge would remove more: the table references itself.' || ending;
    END IF;
    RAISE NOTICE 'Rehearsal for %: it would remove % row%.%', in_table, gone_all,
      CASE gone_all WHEN 1 THEN '' ELSE 's' END, ending;
  ELSE
    RAISE NOTICE 'Purge of %: removed % row%.%', in_table, gone_all, CASE gone_all WHEN 1 THEN '' ELSE 's' END, ending;
  END IF;
END
$:tag$;
