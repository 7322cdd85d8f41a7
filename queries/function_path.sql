-- Lets a function find its names whatever the caller's search_path is.
ALTER FUNCTION :function SET search_path FROM CURRENT;
