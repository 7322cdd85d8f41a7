-- The loops around the batches of purge.sql, one per kind of table, for people to
-- run. COMMIT ends each batch's transaction, so that nothing is locked, and vacuum
-- held back, for longer than a batch takes.

-- question: purge table
/* Each batch is a transaction of its own. To be run outside of a transaction; may be
   stopped, and run again, at any time. */
DO $:tag$
DECLARE
  purged bigint;
BEGIN
  LOOP
    /* Give way to a migration. */
    PERFORM set_config('lock_timeout', '1s', true);
    :batch;
    GET DIAGNOSTICS purged = ROW_COUNT;
    COMMIT;
    EXIT WHEN purged = 0;
    /* Let replicas keep up. */
    PERFORM pg_sleep(0.1);
  END LOOP;
END
$:tag$;

-- A row's ctid is unique within its partition only. What is a leaf is asked when it
-- is run: there may be new ones by then.
-- question: purge partitions
/* Partition by partition; each batch is a transaction of its own. To be run outside
   of a transaction; may be stopped, and run again, at any time. */
DO $:tag$
DECLARE
  leaf record;
  purged bigint;
BEGIN
  FOR leaf IN
    SELECT n.nspname, c.relname
    FROM pg_partition_tree(:'root') p
    JOIN pg_class c ON c.oid = p.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.isleaf AND c.relkind = 'r'
    ORDER BY n.nspname, c.relname
  LOOP
    LOOP
      /* Give way to a migration. */
      PERFORM set_config('lock_timeout', '1s', true);
      EXECUTE format($:inner$
    :batch
      $:inner$, leaf.nspname, leaf.relname);
      GET DIAGNOSTICS purged = ROW_COUNT;
      COMMIT;
      EXIT WHEN purged = 0;
      /* Let replicas keep up. */
      PERFORM pg_sleep(0.1);
    END LOOP;
  END LOOP;
END
$:tag$;
