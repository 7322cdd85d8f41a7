-- Stands before statements with operators or functions: nobody else's are then found.
SET search_path = pg_catalog, pg_temp;
