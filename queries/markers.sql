-- The predicates of each kind of marker, one SQL expression per question:
-- live and deleted never overlap and leave no row out.

-- question: timestamp live
:"column" IS NULL
-- question: timestamp deleted
:"column" IS NOT NULL

-- A NULL flag is live: neither "= true" nor "= false" finds it, "IS NOT TRUE" does.
-- question: flag live
:"column" IS NOT TRUE
-- question: flag deleted
:"column" IS TRUE

-- A pair is decided by its flag: that is what the application filters by.
-- question: pair live
:"column" IS NOT TRUE
-- question: pair deleted
:"column" IS TRUE

-- question: ago
now() - :'age'::interval

-- How an instant is written in the type of a time column. The column itself stays
-- bare, so that an index on it can be used.
-- question: timestamptz instant
(:instant)
-- A timestamp without time zone does not say whose time it is: the table's zone does.
-- question: timestamp instant
((:instant) AT TIME ZONE :'zone')

-- Infinite times take no part in ages.
-- question: deleted_before
(:deleted) AND :"time" < :instant AND :"time" > '-infinity'
