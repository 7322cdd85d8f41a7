-- The predicates of partial indexes, in the words that applications use: PostgreSQL
-- takes such an index only if it can prove that a query's WHERE implies them.

-- question: timestamp live index
:"column" IS NULL
-- question: timestamp purge index
:"column" IS NOT NULL

-- question: sentinel live index
:"column" IN (:values)
-- question: sentinel purge index
:"column" NOT IN (:values)
-- question: nullable_sentinel live index
:"column" IN (:values) OR :"column" IS NULL
-- question: nullable_sentinel purge index
:"column" NOT IN (:values)

-- Not IS NOT TRUE, which neither "NOT column" nor "column = false" is seen to imply.
-- question: flag live index
NOT :"column"
-- question: flag purge index
:"column"

-- question: inverted_flag live index
:"column"
-- question: inverted_flag purge index
:"column" IS NOT TRUE

-- Both "= 0" and "IS NULL" imply the whole. Of an epoch, too.
-- question: number live index
:"column" = 0 OR :"column" IS NULL
-- question: number purge index
:"column" <> 0

-- Every "= value" implies such a list, if the value is in it, or not.
-- question: listed_deleted live index
:"column" NOT IN (:values)
-- question: listed_deleted purge index
:"column" IN (:values)
-- question: listed_live live index
:"column" IN (:values)
-- question: listed_live purge index
:"column" NOT IN (:values)

-- A proof must not leave out the live rows that such an index does.
-- question: or null
:predicate OR :"column" IS NULL
