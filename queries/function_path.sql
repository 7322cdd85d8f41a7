-- Lets a function find its names under whatever search_path it is called.
ALTER FUNCTION :function SET search_path FROM CURRENT;
