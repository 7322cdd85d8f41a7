-- Counts the rows that were deleted of late, up to a limit, through an index on the
-- time of deletion.
SELECT count(*) AS recent
FROM (SELECT FROM ONLY :"schemaname".:"relname" WHERE :recent LIMIT :limit) AS rows;
