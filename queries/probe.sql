-- One value of an integer column of a deleted row. An index on the column answers this at once; without one,
-- statement_timeout ends the search.
SELECT :"column"::float8 AS value
FROM ONLY :"schemaname".:"relname"
WHERE :"column" > 0 AND :"column" <> ALL (:'born'::numeric[])
LIMIT 1;
