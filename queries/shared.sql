-- The round instants that deleted rows have in a time column, the most frequent first.
SELECT :"column"::text AS value, count(*)::float8 AS rows
FROM :only :"schemaname".:"relname"
WHERE (:deleted) AND (:round)
GROUP BY :"column"
ORDER BY 2 DESC
LIMIT 10;
