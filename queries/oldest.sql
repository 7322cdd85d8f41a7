-- The oldest deletion time, through an index on it.
SELECT (:seconds)::float8 AS oldest
FROM ONLY :"schemaname".:"relname"
WHERE :deleted_at_all
ORDER BY :"time" LIMIT 1;
