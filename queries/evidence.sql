-- The partial indexes of one relation with their predicates. Strict ones are unique indexes and exclusion constraints.
-- pg_get_expr waits for a transaction that changes the relation, so each relation has its own transaction.
SELECT c.relname::text AS name, i.indisunique OR i.indisexclusion AS strict,
       COALESCE(pg_get_expr(i.indpred, i.indrelid), '') AS predicate
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = :'relation'::oid AND i.indisvalid AND i.indpred IS NOT NULL
ORDER BY c.relname COLLATE "C";
