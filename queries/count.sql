-- Counts one relation in one pass. ONLY: partitions and inheritance children are
-- counted for themselves.
SELECT count(*) AS total,
       count(*) FILTER (WHERE :deleted) AS deleted,
       count(*) FILTER (WHERE :old) AS old
FROM ONLY :"schemaname".:"relname";
