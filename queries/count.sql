-- Counts one relation in one pass. With only = ONLY, partitions and inheritance
-- children are counted for themselves; with nothing in its place, they are included.
SELECT count(*) AS total,
       count(*) FILTER (WHERE :deleted) AS deleted,
       count(*) FILTER (WHERE :old) AS old
FROM :only :"schemaname".:"relname";
