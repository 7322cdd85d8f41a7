-- The predicates of partial indexes, in the words that applications use: PostgreSQL
-- takes such an index only if it can prove that a query's WHERE implies them.

-- question: timestamp live index
:"column" IS NULL
-- question: timestamp purge index
:"column" IS NOT NULL

-- Not IS NOT TRUE, which neither "NOT column" nor "column = false" is seen to imply.
-- question: flag live index
NOT :"column"
-- question: flag purge index
:"column"

-- question: pair live index
NOT :"column"
-- question: pair purge index
:"column"
