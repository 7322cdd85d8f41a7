-- How large a relation is now. It waits for whoever changes the relation.
SELECT pg_catalog.pg_relation_size(:'relation'::oid) AS bytes;
