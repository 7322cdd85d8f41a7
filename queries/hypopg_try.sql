-- The size that an index would have, from a hypothetical one that only exists in the memory of this backend.
SELECT :hypopg.hypopg_relation_size(i.indexrelid)::int8 AS bytes
FROM :hypopg.hypopg_create_index(:'definition') AS i;
