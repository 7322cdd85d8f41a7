package discovery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// MarkerConfig is what the configuration says about a table's marker. It overrides every rule.
type MarkerConfig struct {
	// Column decides; TimeColumn is the deletion time, if Column is not a time.
	Column, TimeColumn string
	// Kind is the kind of Column; if empty, its type decides.
	Kind softdelete.Kind
	// Live or Deleted are the values of Column with that meaning; if both are empty, the kind decides.
	Live, Deleted []string
	// Unit is the unit of an integer time; if empty, its name and values decide.
	Unit softdelete.Unit
	// Future is what a deletion time in the future means; empty means that the row is deleted.
	Future Future
	// Zone is the time zone of a time without one.
	Zone string
}

// Future is what a deletion time in the future means.
type Future string

// What it can mean.
const (
	FutureLive    Future = "live"    // the row is live until then
	FutureDeleted Future = "deleted" // it is deleted already
)

// Futures are all meanings.
var Futures = []Future{FutureLive, FutureDeleted}

// Marker makes a marker from a column, and from the column of its time if there is one. If the columns do not suit
// the setting, it returns nil and the reason.
func (s MarkerConfig) Marker(c Column, at *Column, now time.Time) (*softdelete.Marker, error) {
	m := &softdelete.Marker{Column: c.Name, Type: c.OwnType, Equality: c.Equality, Kind: s.kind(c, at),
		Live: s.Live, Deleted: s.Deleted, Configured: true}
	if err := s.suits(m.Kind, c); err != nil {
		return nil, err
	}
	d := m.Kind.Definition()
	switch {
	case d.Sections.Live == "" && d.Sections.Deleted == "":
		m.Live, m.Deleted = nil, nil // the kind says it
	case d.KeepsTime && len(m.Live) == 0:
		m.Live = liveBesideNull(m.Kind, c.Born)
	case d.KeepsTime:
		m.Live = liveBesideNull(m.Kind, m.Live)
	case d.Sections.Plain == "" && len(m.Live)+len(m.Deleted) == 0:
		return nil, fmt.Errorf("column %q is a %s: write its deleted_values or its live_values", c.Name, m.Kind)
	}
	if d.KeepsTime && c.holdsTimes() {
		m.Time = c.time(s.unit(c))
	}
	if at != nil {
		if !at.holdsTimes() {
			return nil, fmt.Errorf("time_column %q is of type %s, which holds no time", at.Name, at.Type)
		}
		m.Flag, m.Kind, m.Time = m.Kind, softdelete.Pair, at.partnerTime(s.unit(*at))
	}
	m.Given = s.Kind != "" || len(s.Live)+len(s.Deleted) > 0 || s.Future != ""
	if m.Time != nil {
		m.Time.UnitGiven = s.Unit != ""
	}
	if s.Future == FutureLive {
		if !m.Time.Known() {
			return nil, fmt.Errorf("future: live needs a deletion time, and its unit if it is a number: column %q has none",
				c.Name)
		}
		m.Time.Planned = s.Zone
	}
	return m, s.unitSuits(m, c, at, now)
}

// kind returns the kind that the setting gives a column.
func (s MarkerConfig) kind(c Column, at *Column) softdelete.Kind {
	if s.Kind != "" {
		return s.Kind
	}
	switch c.class() {
	case softdelete.TimeClass:
		if len(s.Live)+len(c.Born) > 0 {
			return softdelete.Sentinel
		}
		return softdelete.Timestamp
	case softdelete.IntegerClass, softdelete.FloatClass:
		if at == nil && len(s.Deleted) == 0 &&
			(s.Unit != "" || len(s.Live) == 0 && s.meaning(c).Kind == softdelete.Epoch) {
			return softdelete.Epoch
		}
		return softdelete.Number
	case softdelete.BooleanClass:
		if isBool(s.Deleted, false) || isBool(s.Live, true) {
			return softdelete.InvertedFlag
		}
		return softdelete.Flag
	case softdelete.TextClass:
		return softdelete.Status // an unknown name does not show the meaning of its values
	default:
		return softdelete.KindOf(c.class())
	}
}

// suits returns why a column of its type cannot have a kind; nil if it can.
func (s MarkerConfig) suits(kind softdelete.Kind, c Column) error {
	d, values := kind.Definition(), slices.Concat(s.Live, s.Deleted)
	switch {
	case c.class() == softdelete.OtherClass:
		return fmt.Errorf("column %q is of type %s, which cannot mark deleted rows", c.Name, c.Type)
	case !d.Takes(c.class()):
		return fmt.Errorf("column %q is of type %s, which is no %s", c.Name, c.Type,
			strings.ReplaceAll(string(kind), "_", " "))
	case kind == softdelete.Sentinel && len(s.Live)+len(c.Born) == 0:
		return fmt.Errorf("column %q has no constant as its default: write the value of live rows as live_values", c.Name)
	case kind == softdelete.Timestamp && s.Kind == "" && s.Future == "" && c.NotNull:
		return fmt.Errorf(
			"column %q is NOT NULL and has no constant as its default: write the value of live rows as live_values", c.Name)
	case d.KeepsTime && len(s.Deleted) > 0:
		return fmt.Errorf("column %q is a time: remove deleted_values, or write what live rows hold as live_values", c.Name)
	}
	for _, v := range values {
		_, notNumber := strconv.ParseInt(v, 10, 64)
		_, notFloat := strconv.ParseFloat(v, 64)
		_, notBool := strconv.ParseBool(v)
		switch {
		case c.class() == softdelete.FloatClass && notFloat != nil,
			c.class() == softdelete.IntegerClass && notNumber != nil,
			c.class() == softdelete.BitClass && (v == "" || strings.Trim(v, "01") != ""):
			return fmt.Errorf("column %q is of type %s, which has no value %q", c.Name, c.Type, v)
		case c.class() == softdelete.BooleanClass && notBool != nil:
			return fmt.Errorf("column %q is a boolean, which has no value %q", c.Name, v)
		case c.class() == softdelete.EnumClass && !slices.Contains(c.Labels, v):
			return fmt.Errorf("column %q has no value %q, only %s", c.Name, v, strings.Join(c.Labels, ", "))
		}
	}
	return nil
}

// unitSuits returns why the configured unit cannot be right; nil if it can, or if nothing is known about the values.
func (s MarkerConfig) unitSuits(m *softdelete.Marker, c Column, at *Column, now time.Time) error {
	if at != nil {
		c = *at
	}
	if m.Time == nil || m.Time.Type != softdelete.EpochTime || c.Meaning.Kind != softdelete.Epoch {
		return nil
	}
	return WrongUnit(m.Time, c.Meaning.Example, c.Meaning.Example, now)
}

// Needs returns what must be read about the columns before Marker, by name.
func (s MarkerConfig) Needs(columns []Column) map[string]Need {
	needs := map[string]Need{}
	for _, c := range columns {
		switch c.Name {
		case s.Column:
			needs[c.Name] = s.need(c)
		case s.TimeColumn:
			needs[c.Name] = c.need(true)
		}
	}
	return needs
}

// need returns what must be read about the deciding column.
func (s MarkerConfig) need(c Column) Need {
	switch {
	case s.TimeColumn != "", s.Kind != "" && s.Kind != softdelete.Epoch:
		return NeedNothing
	case s.Unit != "":
		return c.need(true) // the unit is checked
	case len(s.Live)+len(s.Deleted) > 0:
		return NeedNothing
	}
	return c.need(s.Kind == softdelete.Epoch)
}

// meaning returns what an integer column contains, by its name or its values.
func (s MarkerConfig) meaning(c Column) softdelete.IntegerMeaning {
	if _, unit := unitOf(c.Name); unit != "" {
		return softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: unit}
	}
	return c.Meaning
}

// unit returns the unit of an integer time.
func (s MarkerConfig) unit(c Column) softdelete.Unit {
	if s.Unit != "" {
		return s.Unit
	}
	return s.meaning(c).Unit
}

// isBool reports whether a list of values contains only this boolean.
func isBool(values []string, want bool) bool {
	if len(values) != 1 {
		return false
	}
	got, err := strconv.ParseBool(values[0])
	return err == nil && got == want
}
