-- The predicates of partial indexes in the words that applications use: PostgreSQL uses such an index only if it can
-- prove that a query's WHERE implies its predicate.

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

-- IS NOT TRUE would not do: PostgreSQL does not see that "NOT column" or "column = false" implies it.
-- question: flag live index
NOT :"column"
-- question: flag purge index
:"column"

-- question: inverted_flag live index
:"column"
-- question: inverted_flag purge index
:"column" IS NOT TRUE

-- Both "= 0" and "IS NULL" imply this predicate. Epochs use it, too.
-- question: number live index
:"column" = 0 OR :"column" IS NULL
-- question: number purge index
:"column" <> 0

-- Every "= value" implies the list that contains the value.
-- question: listed_deleted live index
:"column" NOT IN (:values)
-- question: listed_deleted purge index
:"column" IN (:values)
-- question: listed_live live index
:"column" IN (:values)
-- question: listed_live purge index
:"column" NOT IN (:values)

-- For a proof about all live rows, which include those that are NULL.
-- question: or null
:predicate OR :"column" IS NULL
