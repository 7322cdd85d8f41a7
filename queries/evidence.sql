-- The predicates of the unique indexes and exclusion constraints of one relation. pg_get_expr waits for a transaction
-- that changes the relation, so each relation has its own transaction.
SELECT COALESCE(pg_get_expr(i.indpred, i.indrelid), '') AS predicate
FROM pg_catalog.pg_index i
WHERE i.indrelid = :'relation'::oid AND (i.indisunique OR i.indisexclusion) AND i.indisvalid
  AND i.indpred IS NOT NULL
ORDER BY i.indexrelid;
