package softdelete

import "time"

// ColumnID is a column of a database.
type ColumnID struct {
	Relation uint32
	Attnum   int16
}

// ColumnFacts are facts about a column that are not in its catalog row. They are kept from one Snapshot to the next,
// so that they are not read again.
type ColumnFacts struct {
	// Constants are the values of the constant expressions among its defaults; nil for NULL.
	Constants map[string]*string
	// UniquenessVersion is the version of the indexes whose predicates are in Predicates; empty if they were never
	// read.
	UniquenessVersion string
	Predicates        []string
	// Zero is a time in the column that means that a row was never deleted; empty if none was found.
	Zero string
	// Meaning says what an integer column contains. Once known, it does not change.
	Meaning IntegerMeaning
	// Probed is when the table was last searched for a value; zero if never.
	Probed time.Time
}

// IntegerMeaning says what an integer column contains: a Number, or an Epoch with its unit. Its zero value means
// unknown.
type IntegerMeaning struct {
	Kind Kind
	Unit Unit
	// Example is one of the values of an Epoch.
	Example float64
}
