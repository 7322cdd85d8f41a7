-- The predicates of markers, one SQL expression per question. The table of kinds
-- (softdelete/kinds.go) says which sections a kind uses. Live and deleted never overlap
-- and leave no row out. The columns stay bare, so that an index on them can be used.

-- question: timestamp live
:"column" IS NULL
-- question: timestamp deleted
:"column" IS NOT NULL

-- Some constants mean live, so that unique indexes work. The column is NOT NULL.
-- question: sentinel live
:"column" IN (:values)
-- question: sentinel deleted
:"column" NOT IN (:values)
-- NULL and some constants mean live.
-- question: nullable_sentinel live
:"column" IS NULL OR :"column" IN (:values)
-- question: nullable_sentinel deleted
:"column" NOT IN (:values)

-- A NULL flag is live: "IS NOT TRUE" finds it, but neither "= true" nor "= false" does.
-- question: flag live
:"column" IS NOT TRUE
-- question: flag deleted
:"column" IS TRUE

-- NULL means deleted here: that way a unique constraint allows many deleted rows
-- with the same key.
-- question: inverted_flag live
:"column" IS TRUE
-- question: inverted_flag deleted
:"column" IS NOT TRUE

-- Epochs use these, too.
-- question: number live
:"column" IS NULL OR :"column" = 0
-- question: number deleted
:"column" <> 0

-- Kinds that list the values of deleted rows, or those of live rows.
-- question: listed_deleted live
(:"column" IN (:values)) IS NOT TRUE
-- question: listed_deleted deleted
:"column" IN (:values)
-- question: listed_live live
(:"column" NOT IN (:values)) IS NOT TRUE
-- question: listed_live deleted
:"column" NOT IN (:values)

-- The same for a type whose equality operator must be named.
-- question: own listed_deleted live
(:"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])) IS NOT TRUE
-- question: own listed_deleted deleted
:"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])
-- question: own listed_live live
(NOT :"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])) IS NOT TRUE
-- question: own listed_live deleted
NOT :"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])
-- question: own listed_deleted live index
NOT :"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])
-- question: own listed_deleted purge index
:"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])
-- question: own listed_live live index
:"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])
-- question: own listed_live purge index
NOT :"column":::type :equal ANY (ARRAY[:values]::text[]:::type[])

-- A deletion that is planned for the future has not happened.
-- question: deleted by now
(:predicate) AND (:"time" > :now) IS NOT TRUE
-- question: live by now
(:predicate) OR (:"time" > :now) IS TRUE

-- Whether a role that is no superuser may set a parameter that only superusers may.
-- question: untracked
NOT current_setting('is_superuser')::bool AND has_parameter_privilege('pg_stat_statements.track', 'SET')

-- question: ago
now() - :'age'::interval
-- question: now
now()
-- No row was deleted before databases existed. Earlier times mean "never", such as
-- 0001-01-01, 1900-01-01, 1970-01-01 in any zone and -infinity.
-- question: earliest
'1970-01-02 12:00:00+00'::timestamptz

-- A subquery is run once, not for each row. Otherwise PostgreSQL computes now() - '1 day' again
-- for each row and each aggregate.
-- question: once
(SELECT :instant)

-- An instant in the type of a time column.
-- question: timestamptz instant
(:instant)
-- A timestamp without time zone is a local time in the table's zone.
-- question: timestamp instant
((:instant) AT TIME ZONE :'zone')
-- question: date instant
((:instant) AT TIME ZONE :'zone')::date
-- question: epoch instant
(extract(epoch FROM :instant) * :per_second)::int8

-- The class of a row, see classes.sql.
-- question: class
CASE WHEN :deleted THEN COALESCE(:class, -1) END
-- question: class if timed
CASE WHEN :deleted THEN :class END
-- question: class of a time
:classes * width_bucket(:"time", :edges)
-- question: class but_live
CASE WHEN :"time" NOT IN (:live) THEN :class END
-- question: bit since
 + :bit * (:"time" >= :instant)::int4
-- question: bit after
 + :bit * (:"time" > :instant)::int4
-- Midnights in UTC, after the first time that is known, and before infinity.
-- question: timestamptz edges
:'edges'::timestamptz[]
-- question: timestamp edges
:'edges'::timestamp[]
-- question: date edges
:'edges'::date[]
-- question: epoch edges
:'edges'::int8[]
-- The same as local times of another zone.
-- question: zoned timestamp edges
(SELECT array_agg(edge AT TIME ZONE :'zone') FROM unnest(:'edges'::timestamptz[]) AS edge)
-- question: zoned date edges
(SELECT array_agg((edge AT TIME ZONE :'zone')::date) FROM unnest(:'edges'::timestamptz[]) AS edge)

-- A midnight between two classes of a sample.
-- question: edge
:'edge'::timestamptz
-- Rows of a sample, and shares of the rows in statistics.
-- question: count
count(*) FILTER (WHERE :rows)
-- question: share
COALESCE(sum(share) FILTER (WHERE :rows), 0)

-- A value of a time column as seconds since 1970.
-- question: timestamptz seconds
date_part('epoch', :value)
-- question: timestamp seconds
date_part('epoch', :value AT TIME ZONE :'zone')
-- question: date seconds
date_part('epoch', least(:value, '10000-01-02'::date)::timestamp AT TIME ZONE :'zone')
-- question: epoch seconds
:value / :per_second::numeric

-- The smallest value of a marker's column with an unknown meaning: a letter that belongs to
-- no known alphabet, or a time before databases existed.
-- question: strange letter
(min(:"column"::text) FILTER (WHERE :"column"::text NOT IN (:values)))
-- question: strange time
(min(:"column") FILTER (WHERE (:deleted) AND :"column" < :earliest))::text

-- A round instant, which people write as a default: midnight in UTC, which is our time zone,
-- or in the table's zone, and infinity.
-- question: midnight
:"column"::time = '00:00'
-- question: zoned midnight
:"column"::time = '00:00' OR (:"column" AT TIME ZONE :'zone')::time = '00:00'
-- question: round
:midnight OR :"column" = 'infinity'
-- question: rounds
count(*) FILTER (WHERE (:deleted) AND (:round))
-- question: rounds of class
count(*) FILTER (WHERE :midnight)

-- The smallest and the largest value of an integer that is, or may be, a time, and whether
-- every deleted row has its own key there.
-- question: least
(min(:"time") FILTER (WHERE :rows))::float8
-- question: greatest
(max(:"time") FILTER (WHERE :rows))::float8
-- question: own
bool_and(:"column" = :"key") FILTER (WHERE :deleted)

-- Whether the flag and the time of a pair agree: deleted rows with a time, deleted rows without
-- one, and live rows with one.
-- question: both
count(*) FILTER (WHERE (:deleted) AND (:present))
-- question: timeless
count(*) FILTER (WHERE (:deleted) AND (:present) IS NOT TRUE)
-- question: timed
count(*) FILTER (WHERE (:live) AND (:present))

-- Which of some values a marker's column has, as bits.
-- question: listed
bit_or(CASE :value :cases END)
-- question: bit
WHEN :'value' THEN :bit
-- question: own bit
WHEN :"column":::type :equal CAST(:'value' AS :type) THEN :bit
-- question: text
:"column"::text

-- Whether a time column has a real time: not NULL, not 0, not infinite.
-- question: timestamptz present
:"time" > :earliest AND :"time" < 'infinity'
-- question: timestamp present
:"time" > :earliest AND :"time" < 'infinity'
-- question: date present
:"time" > :earliest AND :"time" < 'infinity'
-- If the unit is unknown, the earliest time is 0.
-- question: epoch present
:"time" > :earliest
-- The constants of live rows are not times either.
-- question: but_live
:present AND :"time" NOT IN (:live)

-- Deleted before an instant. Infinite times and times of live rows are left out.
-- question: deleted_before
(:deleted) AND :present AND :"time" < :instant
-- If a change of clocks made a local time ambiguous, it may be the later one.
-- question: certainly
:predicate AND :"time" AT TIME ZONE :'zone' < :instant
-- Deleted since an instant, and not in the future. An index can answer the bare
-- comparison.
-- question: deleted_since
(:deleted) AND :present AND :"time" >= :instant AND :"time" <= :now
-- Deleted, but not before an instant.
-- question: not_yet
(:deleted) AND :present AND :"time" >= :instant
-- Deleted at a known time.
-- question: deleted_at_all
(:deleted) AND :present
-- Deleted at a known time in the future.
-- question: to_come
(:deleted) AND :present AND :"time" > :now
-- question: first
min(:"time") FILTER (WHERE :rows)
-- question: least time
min(:"time")
-- A day becomes old when it is over.
-- question: day after
least(:value, '10000-01-02'::date) + 1
-- Deleted at a time that is in the future: a plan, or a wrong clock or time zone.
-- question: future
(:deleted) AND :present AND :"time" > :instant

-- A pair that contradicts itself: a deleted row without a time, a live row with a time, or
-- a flag that is NULL.
-- question: inconsistent
(:deleted) AND (:present) IS NOT TRUE OR (:live) AND (:present) OR :"column" IS NULL

-- A live row that references a deleted one. Bare columns belong to the parent in the inner
-- predicate, and to the child in the outer one.
-- question: orphaned
(:live) AND EXISTS (SELECT FROM :only:"referencedschema".:"referencedname" AS parent WHERE (:deleted) AND :reference)
