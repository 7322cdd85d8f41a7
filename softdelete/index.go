package softdelete

import "time"

// Indexing is what is known about the indexes of one table, all of one moment.
type Indexing struct {
	// Indexes are those of the table itself, in the order of their names. Of a
	// partitioned table they are the partitioned ones, and those invalid ones of its
	// partitions that belong to none of these.
	Indexes []Index
	// ForeignKeys are the columns of each foreign key of the table.
	ForeignKeys [][]string
	// Partitions are those of a partitioned table, each after its parent.
	Partitions []Partition
	// Bytes is the size of the heap as of the last VACUUM or ANALYZE.
	Bytes int64
	// PartitionKeys are the columns by which a partitioned table and its partitions are partitioned.
	PartitionKeys []string
	// HOT is the share of the updates so far that touched no index, 0 to 1; 1 while
	// there were none, because then nothing is known to stand in the way of it.
	HOT float64
	// Updated is true if there were updates.
	Updated bool
	// Names are relation names that are taken, among those that end as ours do,
	// sorted by their bytes. All tables of a database share the one list.
	Names []string
	// At is when all this was read.
	At time.Time
	// Since is when the server began to count the use of indexes; zero when the
	// counters say nothing about it.
	Since time.Time
}

// Index is what the catalogs and statistics say of one index.
type Index struct {
	OID uint32
	// Schema is where it lives: that of its table.
	Schema, Name string
	// Version changes with whatever of the index has to be deparsed, and with the
	// names of its table's columns.
	Version string
	// Method is the access method, such as btree.
	Method string
	// Keys are the key columns, Include the others.
	Keys    []Key
	Include []string
	// Predicate is which rows the index holds, as PostgreSQL writes it; empty when
	// it holds all. Scope says how it relates to deleted rows.
	Predicate string
	Scope     Scope

	Unique, Primary, Exclusion bool
	// Deferrable uniqueness is checked at the end of the statement or transaction.
	Deferrable bool
	// NullsNotDistinct uniqueness lets one NULL in only.
	NullsNotDistinct bool
	// Valid is false while a concurrent build runs, and for ever when it failed;
	// Building tells the two apart.
	Valid, Building bool
	// Constraint is the name of the constraint that the index implements, if any.
	Constraint string
	// Referenced means that a foreign key of some table relies on the index.
	Referenced      bool
	ReplicaIdentity bool

	// Bytes is the size as of the last VACUUM or ANALYZE.
	Bytes int64
	// Scans counts the uses since Indexing.Since.
	Scans int64
	// Seen is when the index appeared; zero when it was there before we first looked.
	Seen time.Time
	// Partitioned tells of an index that is only the sum of its Parts, the indexes of
	// the partitions.
	Partitioned bool
	Partitions  []PartitionIndex
	// Trial is what the hypopg extension says of a smaller index in its place; nil
	// where it was not asked.
	Trial *Trial
}

// Key is one key column of an index.
type Key struct {
	// Column is the name of a plain column; empty for an expression.
	Column string
	// Expression is PostgreSQL's text of an expression; empty for a column.
	Expression string
	// Generated is PostgreSQL's text of what a generated column is made of; empty for any other.
	Generated string
	// Rest is what else defines the key: collation, operator class and order, as SQL,
	// where they are not the default.
	Rest string
}

// Partition is a relation below a partitioned table.
type Partition struct {
	OID, Parent  uint32
	Schema, Name string
	// HoldsRows means that it holds rows.
	HoldsRows bool
}

// PartitionIndex is an index of a partition.
type PartitionIndex struct {
	// Partition is the relation that it indexes.
	Partition    uint32
	Schema, Name string
	Valid        bool
}

// Trial is the answer of a hypothetical index.
type Trial struct {
	// Bytes is its size as the planner would have it, Of the size that the real index
	// had then.
	Bytes, Of int64
}

// Scope says which rows the predicate of an index lets in, relative to what the
// markers of its table call deleted.
type Scope struct {
	// Mentions means that a marker column stands in the predicate.
	Mentions bool
	// Live and Deleted say how many of the rows of either kind are in the index.
	Live, Deleted Cover
}

// Cover is how much of a set of rows an index holds.
type Cover int

// The covers. Some is what is left when neither of the others is certain.
const (
	Some Cover = iota
	All
	None
)

// LiveOnly means that the index holds live rows and no deleted one.
func (s Scope) LiveOnly() bool { return s.Deleted == None && s.Live != None }

// Undecided means that the predicate says something of deleted rows, but in words
// that ScopeOf does not know.
func (s Scope) Undecided() bool { return s.Mentions && s.Live == Some && s.Deleted == Some }
