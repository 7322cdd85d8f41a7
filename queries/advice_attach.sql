-- Makes the index of a partition a part of the partitioned one.
ALTER INDEX :"parentschema".:"parentname" ATTACH PARTITION :"schemaname".:"indexname";
