-- Attaches the index of a partition to the partitioned index.
ALTER INDEX :"parentschema".:"parentname" ATTACH PARTITION :"schemaname".:"indexname";
