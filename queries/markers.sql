-- The predicates of markers, one SQL expression per question. The table of kinds
-- (softdelete/kinds.go) says which sections a kind uses. Live and deleted never overlap
-- and leave no row out. The columns stay bare, so that an index on them can be used.

-- question: timestamp live
:"column" IS NULL
-- question: timestamp deleted
:"column" IS NOT NULL

-- Constants are live, so that unique indexes work; the column is NOT NULL.
-- question: sentinel live
:"column" IN (:values)
-- question: sentinel deleted
:"column" NOT IN (:values)
-- Constants are live beside NULL.
-- question: nullable_sentinel live
:"column" IS NULL OR :"column" IN (:values)
-- question: nullable_sentinel deleted
:"column" NOT IN (:values)

-- A NULL flag is live: neither "= true" nor "= false" finds it, "IS NOT TRUE" does.
-- question: flag live
:"column" IS NOT TRUE
-- question: flag deleted
:"column" IS TRUE

-- A NULL here is deleted: that is how a unique constraint lets many deleted rows
-- share a key.
-- question: inverted_flag live
:"column" IS TRUE
-- question: inverted_flag deleted
:"column" IS NOT TRUE

-- Of an epoch, too.
-- question: number live
:"column" IS NULL OR :"column" = 0
-- question: number deleted
:"column" <> 0

-- Of a kind with the values that are deleted, or those that are live, written out.
-- question: listed_deleted live
(:"column" IN (:values)) IS NOT TRUE
-- question: listed_deleted deleted
:"column" IN (:values)
-- question: listed_live live
(:"column" NOT IN (:values)) IS NOT TRUE
-- question: listed_live deleted
:"column" NOT IN (:values)

-- The same of a type whose equality PostgreSQL does not find by itself.
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

-- question: ago
now() - :'age'::interval
-- question: now
now()
-- No row was deleted before there were databases: earlier times stand for "never",
-- as 0001-01-01, 1900-01-01, 1970-01-01 in any zone and -infinity do.
-- question: earliest
'1970-01-02 12:00:00+00'::timestamptz

-- A subquery is run once, not for each row. Otherwise PostgreSQL computes now() - '1 day' again
-- for each row and each aggregate.
-- question: once
(SELECT :instant)

-- How an instant is written in the type of a time column.
-- question: timestamptz instant
(:instant)
-- A timestamp without time zone does not say whose time it is: the table's zone does.
-- question: timestamp instant
((:instant) AT TIME ZONE :'zone')
-- question: date instant
((:instant) AT TIME ZONE :'zone')::date
-- question: epoch instant
(extract(epoch FROM :instant) * :per_second)::int8

-- A value of a time column as seconds since 1970.
-- question: timestamptz seconds
extract(epoch FROM :value)
-- question: timestamp seconds
extract(epoch FROM :value AT TIME ZONE :'zone')
-- question: date seconds
extract(epoch FROM least(:value, '10000-01-02'::date)::timestamp AT TIME ZONE :'zone')
-- question: epoch seconds
:value / :per_second::numeric

-- The least value of a marker's column that nobody has accounted for: a letter of no known
-- alphabet, and a time before there were databases.
-- question: strange letter
(min(:"column"::text) FILTER (WHERE :"column"::text NOT IN (:values)))
-- question: strange time
(min(:"column") FILTER (WHERE (:deleted) AND :"column" < :earliest))::text

-- A round instant, such as people write it as a default: midnight in UTC, which is our time zone,
-- or in that of the table, and the end of time.
-- question: round
:"column"::time = '00:00' OR :"column" = 'infinity'
-- question: zoned round
:"column"::time = '00:00' OR (:"column" AT TIME ZONE :'zone')::time = '00:00' OR :"column" = 'infinity'
-- question: rounds
count(*) FILTER (WHERE (:deleted) AND (:round))

-- The least and the greatest value of an integer that is a time, or is taken for one, and whether
-- every deleted row has its own key there.
-- question: least
(min(:"time") FILTER (WHERE :rows))::float8
-- question: greatest
(max(:"time") FILTER (WHERE :rows))::float8
-- question: own
bool_and(:"column" = :"key") FILTER (WHERE :deleted)

-- Which of some values stand in a marker's column: each is a bit.
-- question: listed
bit_or(CASE :value :cases END)
-- question: bit
WHEN :'value' THEN :bit
-- question: own bit
WHEN :"column":::type :equal CAST(:'value' AS :type) THEN :bit
-- question: text
:"column"::text

-- Whether a time column holds a time at all: not NULL, not 0, not infinite.
-- question: timestamptz present
:"time" > :earliest AND :"time" < 'infinity'
-- question: timestamp present
:"time" > :earliest AND :"time" < 'infinity'
-- question: date present
:"time" > :earliest AND :"time" < 'infinity'
-- An unknown unit makes the earliest time 0.
-- question: epoch present
:"time" > :earliest
-- The constants of live rows are no times either.
-- question: but_live
:present AND :"time" NOT IN (:live)

-- Deleted before an instant. Infinite times and those of live rows take no part.
-- question: deleted_before
(:deleted) AND :present AND :"time" < :instant
-- A local time that a change of clocks made ambiguous may be the later one.
-- question: certainly
:predicate AND :"time" AT TIME ZONE :'zone' < :instant
-- Deleted since an instant, and not in the future. The bare comparison is what an index
-- answers.
-- question: deleted_since
(:deleted) AND :present AND :"time" >= :instant AND :"time" <= :now
-- Deleted, but not before an instant.
-- question: not_yet
(:deleted) AND :present AND :"time" >= :instant
-- Deleted at a known time.
-- question: deleted_at_all
(:deleted) AND :present
-- Deleted at a known time that has not come yet.
-- question: to_come
(:deleted) AND :present AND :"time" > :now
-- question: first
min(:"time") FILTER (WHERE :rows)
-- A day becomes old when it is over.
-- question: day after
least(:value, '10000-01-02'::date) + 1
-- Deleted later than now, which no clock of ours can explain.
-- question: future
(:deleted) AND :present AND :"time" > :instant

-- A pair that contradicts itself: deleted without a time, a time on a live row, or a
-- flag that is NULL.
-- question: inconsistent
(:deleted) AND (:present) IS NOT TRUE OR (:live) AND (:present) OR :"column" IS NULL

-- A live row that references a deleted one. Bare columns of the inner predicate are the
-- parent's, of the outer one the child's.
-- question: orphaned
(:live) AND EXISTS (SELECT FROM :only:"referencedschema".:"referencedname" AS parent WHERE (:deleted) AND :reference)
