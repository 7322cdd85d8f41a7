package softdelete

import (
	"fmt"
	"slices"
	"strings"
)

// Agreement says in how many of the rows that were read the flag and the time of a pair agree. Rows that both call
// live are not counted.
type Agreement struct {
	// Both are the rows that are deleted by the flag and have a deletion time. Timeless are those that are deleted by
	// the flag alone, Timed those that have a time and are live by the flag.
	Both, Timeless, Timed int64
}

// More than a few rows are more than fewRows, and more than fewShare of the rows that the flag or the time calls
// deleted. Fewer can come from single mistakes, such as SQL by hand, and hardly change the numbers. More come from code
// that sets only one of the columns.
const (
	fewRows  = 10
	fewShare = 0.01
)

// apart returns how many rows the flag calls deleted and the time live, or the other way round.
func (a Agreement) apart() int64 { return a.Timeless + a.Timed }

// Disagrees reports whether flag and time disagree in more than a few rows.
func (a Agreement) Disagrees() bool {
	return a.apart() > fewRows && float64(a.apart()) > fewShare*float64(a.Both+a.apart())
}

// agreement returns how often the flag and the time of a marker agree; nil if that is unknown.
func (n *Numbers) agreement(marker int) *Agreement {
	if marker >= len(n.Agreements) {
		return nil
	}
	return n.Agreements[marker]
}

// Found reports whether the marker is a pair whose flag is only assumed to decide: a rule found it.
func (m Marker) Found() bool { return m.Kind == Pair && !m.Configured }

// TimeAlone returns the marker that the time of a pair would be without the flag. A placeholder is not a time, so it
// means live.
func (m Marker) TimeAlone() Marker {
	alone := Marker{Kind: Sentinel, Column: m.Time.Column, Time: m.Time,
		Live: slices.Concat(m.Time.Live, []string{"infinity", "-infinity", "1970-01-01", "0001-01-01"})}
	if m.Time.Type == EpochTime {
		alone.Kind, alone.Live = Epoch, slices.Concat(m.Time.Live, []string{"0"})
	}
	return alone
}

// Decider is a column that may decide which rows of a table are deleted, with the settings for the table's entry in the
// configuration that let it decide, as YAML.
type Decider struct {
	Column   string
	Settings []string
}

// Deciders returns the time and the flag of a pair, in this order.
func (m Marker) Deciders() []Decider {
	time, flag := QuoteYAML(m.Time.Column), QuoteYAML(m.Column)
	return []Decider{
		{m.Time.Column, []string{"column: " + time}},
		{m.Column, []string{"column: " + flag, "time_column: " + time, m.says()}},
	}
}

// deciding returns the settings that let the time decide, and those that let the flag decide.
func (m Marker) deciding() []string {
	var all []string
	for _, d := range m.Deciders() {
		all = append(all, strings.Join(d.Settings, "\n"))
	}
	return all
}

// says returns the setting that says what the values of the deciding column mean, as the marker reads them.
func (m Marker) says() string {
	switch {
	case len(m.Deleted) > 0:
		return ListYAML("deleted_values", m.Deleted)
	case len(m.Live) > 0:
		return ListYAML("live_values", m.Live)
	default:
		return "kind: " + string(m.Decides())
	}
}

// Dispute is a pair of which it is not certain whether the flag or the time decides which rows are deleted.
type Dispute struct {
	Marker Marker
	// Agreement says in how many rows the two agree; nil if it is unknown. It is exact if every row was read.
	Agreement *Agreement
	Exact     bool
	// Index is the name of an index that is partial on the time alone, which suggests that the application filters by
	// the time; empty if there is none, or if another one is partial on the flag.
	Index string
}

// Disputes returns the disputed pairs of the table: the two disagree in more than a few rows, or an index speaks for
// the time.
func (t *Table) Disputes() []Dispute {
	var all []Dispute
	for i, m := range t.Markers {
		d := Dispute{Marker: m}
		if t.Numbers != nil {
			d.Agreement, d.Exact = t.Numbers.agreement(i), t.Numbers.Method == Exact
		}
		if t.Indexing != nil {
			d.Index = t.Indexing.ByTime[m.Column]
		}
		if m.Found() && (d.disagrees() || d.Index != "") {
			all = append(all, d)
		}
	}
	return all
}

// disagrees reports whether more than a few rows are known to disagree.
func (d Dispute) disagrees() bool { return d.Agreement != nil && d.Agreement.Disagrees() }

// Undecidable reports whether nobody can know which rows are deleted: more than a few rows disagree, and an index
// speaks for the time.
func (d Dispute) Undecidable() bool { return d.disagrees() && d.Index != "" }

// Settled reports whether the answer makes no difference: flag and time agree in every row.
func (d Dispute) Settled() bool { return d.Exact && d.Agreement != nil && d.Agreement.apart() == 0 }

// Why says why it is not certain which column decides.
func (d Dispute) Why() string {
	flag, time := d.Marker.Column, d.Marker.Time.Column
	var whys []string
	if a := d.Agreement; d.disagrees() {
		rows := Plural(int(a.Both+a.apart()), "sampled row")
		if d.Exact {
			rows = "the " + Plural(int(a.Both+a.apart()), "row")
		}
		whys = append(whys, fmt.Sprintf(
			"of %s that %q or %q calls deleted, only the time says so of %s and only the flag of %s", rows, flag, time,
			Thousands(float64(a.Timed)), Thousands(float64(a.Timeless))))
	}
	if d.Index != "" {
		whys = append(whys, fmt.Sprintf("index %q leaves out the rows with a time in %q, and no index is partial on %q",
			d.Index, time, flag))
	}
	return strings.Join(whys, ", and ")
}
