package softdelete

import "time"

// ColumnID is a column of a database.
type ColumnID struct {
	Relation uint32
	Attnum   int16
}

// ColumnFacts is what had to be read about a column beyond its catalog row. It is kept from one Snapshot to the
// next, so that it is not read again.
type ColumnFacts struct {
	// Constants are what the constant expressions of its defaults are, nil for NULL.
	Constants map[string]*string
	// UniquenessVersion is that of the indexes whose predicates Predicates are; empty if they were
	// never read.
	UniquenessVersion string
	Predicates        []string
	// Zero is the time by which rows say that they were never deleted, found in them; empty if
	// none was.
	Zero string
	// Meaning says what an integer column contains. Once known it stays.
	Meaning IntegerMeaning
	// Probed is when the table was last searched for a value; zero if it was not.
	Probed time.Time
}

// IntegerMeaning is what an integer column holds: a Number or an Epoch with its unit. Its
// zero value is not known.
type IntegerMeaning struct {
	Kind Kind
	Unit Unit
	// Example is one of the values of an Epoch.
	Example float64
}
