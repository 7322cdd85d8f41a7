-- When the first of the deleted rows was deleted, through an index on that time.
SELECT (:seconds)::float8 AS oldest
FROM ONLY :"schemaname".:"relname"
WHERE :deleted_at_all
ORDER BY :"time" LIMIT 1;
