-- Counts the recently deleted rows, up to a limit, through an index on the deletion time.
SELECT count(*) AS recent
FROM (SELECT FROM ONLY :"schemaname".:"relname" WHERE :recent LIMIT :limit) AS rows;
