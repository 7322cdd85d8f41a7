package softdelete

import (
	"slices"
	"strings"
)

// Kind says how a marker column marks deleted rows.
type Kind string

// The kinds of marker. KindTable says what each of them means.
const (
	Timestamp    Kind = "timestamp"
	Sentinel     Kind = "sentinel"
	Epoch        Kind = "epoch"
	Flag         Kind = "flag"
	InvertedFlag Kind = "inverted_flag"
	Number       Kind = "number"
	Letter       Kind = "letter"
	Status       Kind = "status"
	Pair         Kind = "pair"
)

// KindDefinition is everything about a kind of marker, except its SQL.
type KindDefinition struct {
	Kind Kind
	// Classes are the types that a column of the kind can have; none for a pair, whose two columns have other kinds.
	Classes []Class
	// Meaning is what the values of the column mean, unless the marker lists its values.
	Meaning Meaning
	// Alphabets are pairs of values of which a table uses one; nil if Meaning is enough.
	Alphabets []Alphabet
	// Sections are the names of its predicates in queries/markers.sql and queries/partial.sql.
	Sections Sections
	// KeepsTime is true if the column is also the deletion time, if its type is a time.
	KeepsTime bool
	// FewValues is true if the column has only a few different values.
	FewValues bool
	// Type is a PostgreSQL type for its values, if the marker does not know theirs.
	Type string
	// Words are for people.
	Words Words
}

// Sections are the first words of section names. For each there are the sections "live", "deleted", "live index" and
// "purge index".
type Sections struct {
	// Plain is for a marker that lists no values; empty if the kind needs a list. If the sections need values, they
	// get the deleted values of Meaning.
	Plain string
	// Live and Deleted are for a marker that lists its live or its deleted values; empty if the kind has no such
	// list.
	Live, Deleted string
	// Nullable takes the place of Live if NULL is also live; empty if that is not possible.
	Nullable string
}

// Words explain a kind to people.
type Words struct {
	// Column describes the types of the column.
	Column string
	// Live, Deleted and Time say which rows are live, which are deleted, and where the deletion time is.
	Live, Deleted, Time string
	// Decision is a sentence about a column without a time.
	Decision string
}

// KindTable is everything that is specific to each kind. All kinds except Pair are for one column.
var KindTable = []KindDefinition{{
	Kind: Timestamp, Classes: []Class{TimeClass, TextClass}, KeepsTime: true, Type: "text",
	Meaning:  Meaning{Live: nothing, Deleted: anything},
	Sections: Sections{Plain: "timestamp", Live: "sentinel", Nullable: "nullable_sentinel"},
	Words: Words{Column: "timestamptz, timestamp or date", Live: "NULL", Deleted: "not NULL",
		Time: "the column"},
}, {
	Kind: Sentinel, Classes: []Class{TimeClass}, KeepsTime: true, Type: "timestamptz",
	Meaning:  Meaning{Live: anything, Deleted: anything},
	Sections: Sections{Live: "sentinel", Nullable: "nullable_sentinel"},
	Words: Words{Column: "the same, with a constant default such as `1970-01-01` or `infinity`",
		Live: "equal to the constant, or NULL", Deleted: "anything else", Time: "the column"},
}, {
	Kind: Epoch, Classes: []Class{IntegerClass, FloatClass}, KeepsTime: true, Type: "numeric",
	Meaning:  Meaning{Live: slices.Concat(KnownValues("0"), nothing), Deleted: []Value{{Class: Positive}}, Either: true},
	Sections: Sections{Plain: "number", Live: "sentinel", Nullable: "nullable_sentinel"},
	Words: Words{Column: "smallint, int, bigint or numeric; configured, double precision", Live: "0 or NULL",
		Deleted: "other, except the default", Time: "the column, once its unit is known"},
}, {
	Kind: Flag, Classes: []Class{BooleanClass}, FewValues: true, Type: "bool",
	Meaning:  Meaning{Live: KnownValues("false"), Deleted: KnownValues("true"), Odd: nothing},
	Sections: Sections{Plain: "flag"},
	Words: Words{Column: "boolean", Live: "not TRUE; NULL is live", Deleted: "TRUE", Time: "unknown",
		Decision: "TRUE means deleted"},
}, {
	Kind: InvertedFlag, Classes: []Class{BooleanClass}, FewValues: true, Type: "bool",
	Meaning:  Meaning{Live: KnownValues("true"), Deleted: slices.Concat(KnownValues("false"), nothing), Either: true},
	Sections: Sections{Plain: "inverted_flag"},
	Words: Words{Column: "boolean, `active` and the like", Live: "TRUE", Deleted: "not TRUE; NULL is deleted",
		Time: "unknown", Decision: "TRUE means live"},
}, {
	Kind: Number, Classes: []Class{IntegerClass, FloatClass}, FewValues: true, Type: "numeric",
	Meaning:  Meaning{Live: KnownValues("0"), Deleted: allBut("0"), Odd: nothing},
	Sections: Sections{Plain: "number", Live: "listed_live", Deleted: "listed_deleted"},
	Words: Words{Column: "smallint, int, bigint or numeric; configured, double precision", Live: "0 or NULL",
		Deleted: "other", Time: "unknown",
		Decision: "anything but 0 and NULL means deleted"},
}, {
	// An unknown value counts as live: missing a deleted row is better than calling a live one deleted.
	Kind: Letter, Classes: []Class{TextClass}, FewValues: true, Type: "text",
	Meaning: Meaning{Live: allBut(DeletedLetters...), Deleted: KnownValues(DeletedLetters...), Odd: nothing,
		Either: true},
	Alphabets: Alphabets,
	Sections:  Sections{Plain: "listed_deleted", Live: "listed_live", Deleted: "listed_deleted"},
	Words: Words{Column: "char, varchar or text",
		Live:    "the opposite of one of them, blank or NULL; other values make it unclear",
		Deleted: "`" + strings.Join(DeletedLetters, "` `") + "`", Time: "unknown",
		Decision: "Y, 1, true and the like mean deleted"},
}, {
	Kind: Status, Classes: []Class{TextClass, EnumClass, IntegerClass, BitClass}, FewValues: true, Type: "text",
	Meaning:  Meaning{Live: slices.Concat(nothing, anything), Deleted: anything, Odd: nothing},
	Sections: Sections{Live: "listed_live", Deleted: "listed_deleted"},
	Words: Words{Column: "text or enum; configured, bit", Live: "not in the list, NULL too",
		Deleted: "in a list: `deleted`, `trashed`, `removed`", Time: "unknown"},
}, {
	Kind: Pair,
	Words: Words{Column: "a flag, number, letter or status, and a time", Live: "by the flag", Deleted: "by the flag",
		Time: "the time column"},
}}

// Kinds are the kinds of a single column.
var Kinds = func() []Kind {
	var kinds []Kind
	for _, d := range KindTable {
		if len(d.Classes) > 0 {
			kinds = append(kinds, d.Kind)
		}
	}
	return kinds
}()

// Definition returns the definition of the kind; the zero value if it does not exist.
func (k Kind) Definition() KindDefinition {
	for _, d := range KindTable {
		if d.Kind == k {
			return d
		}
	}
	return KindDefinition{}
}

// Takes reports whether a column with this class of types can have the kind.
func (d KindDefinition) Takes(class Class) bool { return slices.Contains(d.Classes, class) }

// KindOf returns the first kind for a class of types; empty if there is none.
func KindOf(class Class) Kind {
	for _, d := range KindTable {
		if d.Takes(class) {
			return d.Kind
		}
	}
	return ""
}
