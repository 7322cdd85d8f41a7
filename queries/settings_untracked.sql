-- The same for a role that may leave its own statements out of pg_stat_statements.
SET LOCAL pg_stat_statements.track = none;
