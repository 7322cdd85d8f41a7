-- Finds the keys that prevent a unique index.
SELECT :keys, count(*) FROM :"schemaname".:"relname":where GROUP BY :keys HAVING count(*) > 1;
