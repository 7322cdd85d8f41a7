-- Counts the rows that are past retention. The DELETE for the partitions of a table stands
-- in a format and cannot be tried alone.
SELECT count(*) FROM :"schemaname".:"relname" WHERE :old;
