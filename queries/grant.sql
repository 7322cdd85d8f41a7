-- All that a role needs to count one relation: its marker columns, and ctid to read a range of blocks.
GRANT SELECT (:columns) ON :"schemaname".:"relname" TO :"role";
