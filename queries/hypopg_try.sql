-- How large an index would be, by a hypothetical one, which is nowhere but in the
-- memory of this backend.
SELECT :hypopg.hypopg_relation_size(i.indexrelid)::int8 AS bytes
FROM :hypopg.hypopg_create_index(:'definition') AS i;
