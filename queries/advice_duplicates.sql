-- The keys that stand in the way of a unique index.
SELECT :keys, count(*) FROM :"schemaname".:"relname":where GROUP BY :keys HAVING count(*) > 1;
