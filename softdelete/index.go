package softdelete

import "time"

// Indexing is what is known about the indexes of one table at one moment.
type Indexing struct {
	// Indexes are the table's own indexes, sorted by name. For a partitioned table they are the partitioned indexes,
	// and invalid indexes of partitions that belong to none of these.
	Indexes []Index
	// ForeignKeys are the columns of each foreign key of the table.
	ForeignKeys [][]string
	// Partitions are the partitions of a partitioned table, each after its parent.
	Partitions []Partition
	// Bytes is the size of the heap as of the last VACUUM or ANALYZE.
	Bytes int64
	// PartitionKeys are the columns by which a partitioned table and its partitions are partitioned.
	PartitionKeys []string
	// HOT is the share of the updates so far that touched no index, 0 to 1. It is 1 if there were none, because
	// then nothing is known to prevent HOT updates.
	HOT float64
	// Updated is true if there were updates.
	Updated bool
	// ByTime names, by the flag of a pair, an index that is partial on its time alone: it holds only rows without a time.
	// There is none for a pair if an index is partial on the flag.
	ByTime map[string]string
	// Names are existing relation names with the endings of our names, sorted by their bytes. All tables of a
	// database share one list.
	Names []string
	// At is when all this was read.
	At time.Time
	// Since is when the server began to count the use of indexes; zero if the counters are not usable.
	Since time.Time
}

// Index is what the catalogs and statistics contain about one index.
type Index struct {
	OID uint32
	// Schema is the schema of its table.
	Schema, Name string
	// Version changes if anything that must be deparsed changes, or the names of the table's columns.
	Version string
	// Method is the access method, such as btree.
	Method string
	// Keys are the key columns, Include the other columns.
	Keys    []Key
	Include []string
	// Predicate says which rows the index contains, as PostgreSQL writes it; empty if it contains all. Scope says
	// how it relates to deleted rows.
	Predicate string
	Scope     Scope

	Unique, Primary, Exclusion bool
	// Deferrable is true if uniqueness is checked only at the end of the statement or transaction.
	Deferrable bool
	// NullsNotDistinct is true if only one NULL is allowed.
	NullsNotDistinct bool
	// Valid is false during a concurrent build, and stays false if the build failed. Building is true only during
	// the build.
	Valid, Building bool
	// Constraint is the name of the constraint that the index implements, if any.
	Constraint string
	// Referenced is true if a foreign key of some table depends on the index.
	Referenced      bool
	ReplicaIdentity bool

	// Bytes is the size as of the last VACUUM or ANALYZE.
	Bytes int64
	// Scans counts the uses since Indexing.Since.
	Scans int64
	// Seen is when the index appeared; zero if it existed before the exporter first looked.
	Seen time.Time
	// Partitioned is true if the index consists only of its Parts, the indexes of the partitions.
	Partitioned bool
	Partitions  []PartitionIndex
	// Trial is what the hypopg extension says about a smaller index in its place; nil if it was not asked.
	Trial *Trial
}

// Key is one key column of an index.
type Key struct {
	// Column is the name of a plain column; empty for an expression.
	Column string
	// Expression is PostgreSQL's text of an expression; empty for a plain column.
	Expression string
	// Generated is PostgreSQL's text of what a generated column is made of; empty for any other.
	Generated string
	// Rest is the remaining definition of the key as SQL, without defaults: collation, operator class and order.
	Rest string
}

// Partition is a relation below a partitioned table.
type Partition struct {
	OID, Parent  uint32
	Schema, Name string
	// HoldsRows is true for a partition that is not itself partitioned.
	HoldsRows bool
}

// PartitionIndex is an index of a partition.
type PartitionIndex struct {
	// Partition is the relation of the index.
	Partition    uint32
	Schema, Name string
	Valid        bool
}

// Trial is the answer of a hypothetical index.
type Trial struct {
	// Bytes is its size according to the planner; Of is the size of the real index at that time.
	Bytes, Of int64
}

// Scope says which rows the predicate of an index includes, in terms of the live and deleted rows of its table's
// markers.
type Scope struct {
	// Mentions is true if the predicate contains a marker column.
	Mentions bool
	// Live and Deleted say how many of the live and of the deleted rows are in the index.
	Live, Deleted Cover
}

// Cover says how much of a set of rows an index contains.
type Cover int

// The covers. Some means that neither of the others is certain.
const (
	Some Cover = iota
	All
	None
)

// LiveOnly reports whether the index contains live rows and no deleted ones.
func (s Scope) LiveOnly() bool { return s.Deleted == None && s.Live != None }

// Undecided reports whether the predicate says something about deleted rows that ScopeOf does not understand.
func (s Scope) Undecided() bool { return s.Mentions && s.Live == Some && s.Deleted == Some }
