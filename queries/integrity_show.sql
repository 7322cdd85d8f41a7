-- Shows some of the rows that a check has found.
SELECT * FROM :"schemaname".:"relname" AS child WHERE :rows LIMIT 100;
