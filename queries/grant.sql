-- What a role needs to count one relation: the columns of its markers, and ctid,
-- without which no range of blocks can be read, and nothing else.
GRANT SELECT (:columns) ON :"schemaname".:"relname" TO :"role";
