-- Only a step to consider: the index belongs to a constraint, so both are dropped.
ALTER TABLE :"schemaname".:"relname" DROP CONSTRAINT :"constraintname";
