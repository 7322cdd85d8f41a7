-- Run before statements with operators or functions, so that only PostgreSQL's own are found.
SET search_path = pg_catalog, pg_temp;
