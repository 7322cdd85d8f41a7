-- What a random sample of whole blocks holds, for a role that may not read ctid. The
-- seed is written out, so that no two of our statements draw the same blocks.
SELECT count(*) AS total,
       count(*) FILTER (WHERE :deleted) AS deleted,
       count(*) FILTER (WHERE :old) AS old,
       :observed
FROM ONLY :"schemaname".:"relname" TABLESAMPLE SYSTEM (:'percent'::float8) REPEATABLE (:'seed'::float8);
