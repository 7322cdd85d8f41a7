-- The distributed tables of Citus: their own files are empty, the rows are in shards.
SELECT logicalrelid::oid::int8 AS oid FROM pg_catalog.pg_dist_partition;
