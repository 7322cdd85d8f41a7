-- Only ever to be considered: an index that a constraint owns goes with it.
ALTER TABLE :"schemaname".:"relname" DROP CONSTRAINT :"constraintname";
