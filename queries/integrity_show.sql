-- Shows some of the rows that contradict the soft delete of their table.
SELECT * FROM :"schemaname".:"relname" AS child WHERE :rows LIMIT 100;
