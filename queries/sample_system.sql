-- Counts the rows of a random sample of whole blocks, for a role that may not read ctid. Each statement has its own
-- seed, so that no two of them read the same blocks.
SELECT count(*) AS total,
       count(*) FILTER (WHERE :deleted) AS deleted,
       count(*) FILTER (WHERE :old) AS old,
       (:oldest)::float8 AS oldest,
       :since AS since,
       :observed
FROM ONLY :"schemaname".:"relname" TABLESAMPLE SYSTEM (:'percent'::float8) REPEATABLE (:'seed'::float8);
