package softdelete

import (
	"slices"
	"strings"
	"unicode"
)

// Column is a column that could mark deleted rows.
type Column struct {
	Name string
	// Type is PostgreSQL's name of its type, such as timestamptz or bool.
	Type    string
	NotNull bool
}

// Rules are the names by which a column is known to mark deleted rows, folded,
// the surest first.
type Rules struct {
	// Times hold when a row was deleted; NULL while it lives.
	Times []string
	// Flags hold whether a row is deleted.
	Flags []string
}

// Names are all the names of the rules.
func (r Rules) Names() []string { return slices.Concat(r.Times, r.Flags) }

// Fold brings a column's name into the form that rules are written in: lower case,
// nothing but letters and digits.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r > unicode.MaxASCII:
			return r
		default:
			return -1
		}
	}, strings.ToLower(name))
}

// Discover finds the markers among the columns of one table. A flag and a time of
// the same stem are one marker, a pair; what is left, if there are several, is
// or-ed.
func (r Rules) Discover(columns []Column) Markers {
	times := r.ranked(r.Times, columns, func(c Column) bool { return timeTypes[c.Type] && !c.NotNull })
	flags := r.ranked(r.Flags, columns, func(c Column) bool { return c.Type == "bool" })
	var markers Markers
	for _, flag := range flags {
		m := Marker{Kind: Flag, Column: flag.Name}
		same := func(t Column) bool { return stem(t.Name) == stem(flag.Name) }
		if i := slices.IndexFunc(times, same); i >= 0 {
			m.Kind, m.Time = Pair, &Time{Column: times[i].Name, Type: TimeType(times[i].Type)}
			times = slices.DeleteFunc(times, same)
		}
		markers = append(markers, m)
	}
	for _, t := range times {
		markers = append(markers, timestamp(t))
	}
	return markers
}

// ranked returns the columns that a list of names knows, in the order of the list.
func (r Rules) ranked(names []string, columns []Column, fits func(Column) bool) []Column {
	var known []Column
	for _, name := range names {
		for _, c := range columns {
			if Fold(c.Name) == name && fits(c) {
				known = append(known, c)
			}
		}
	}
	return known
}

// MarkerOf is the marker that a configured column is, with the column of its time
// if one was configured; false if its type cannot mark deleted rows.
func MarkerOf(column Column, time *Column) (Marker, bool) {
	switch {
	case timeTypes[column.Type]:
		return timestamp(column), true
	case column.Type == "bool" && time == nil:
		return Marker{Kind: Flag, Column: column.Name}, true
	case column.Type == "bool" && timeTypes[time.Type]:
		return Marker{Kind: Pair, Column: column.Name, Time: &Time{Column: time.Name, Type: TimeType(time.Type)}}, true
	default:
		return Marker{}, false
	}
}

func timestamp(c Column) Marker {
	return Marker{Kind: Timestamp, Column: c.Name, Time: &Time{Column: c.Name, Type: TimeType(c.Type)}}
}

var timeTypes = map[string]bool{string(Timestamptz): true, string(LocalTimestamp): true}

// stems are the beginnings by which a flag and a time are known to tell of the
// same thing: is_deleted and deleted_at, del_flag and delete_time.
var stems = []string{"del", "remove", "trash", "discard", "destroy"}

func stem(name string) string {
	folded := Fold(name)
	for _, s := range stems {
		if strings.Contains(folded, s) {
			return s
		}
	}
	return folded
}
