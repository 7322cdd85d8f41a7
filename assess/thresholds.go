package assess

import (
	"regexp"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Thresholds are the health limits: those for all tables, and those of single tables. A value has to exceed its
// limit; a value equal to the limit still gets the better verdict. The section "The limits" of mixin/README.md
// explains each limit.
type Thresholds struct {
	ResponseMS struct {
		// Slow is in milliseconds.
		Slow float64 `json:"slow"`
	} `json:"response_ms"`
	Limits
	// Tables are in the order of the file. If several set the same limit for a table, an entry by name decides, and
	// of several such entries the last one. Without one, the first pattern that matches decides.
	Tables []TableThresholds `json:"tables"`
}

// Limits are the limits of one table.
type Limits struct {
	// DeletionRatio is a fraction, 0 to 1.
	DeletionRatio Levels `json:"deletion_ratio"`
	// RatioMinRows is how many rows a table must have for each level of the ratio.
	RatioMinRows   Levels `json:"-"`
	OldDeletedRows Levels `json:"old_deleted_rows"`
	// BulkRows are rows deleted within the recent window.
	BulkRows float64 `json:"bulk_rows"`
	// AlertMinRows is the smallest table, in rows, that fires alerts; verdicts have no minimum.
	AlertMinRows float64 `json:"alert_min_rows"`
}

// Levels are the limits above which a number is fair, and poor.
type Levels struct {
	Fair float64 `json:"fair"`
	Poor float64 `json:"poor"`
	// MinRows is the smallest table, in rows, whose ratio is judged. A table with its own level is judged by
	// that however small it is, unless it also has its own MinRows.
	MinRows float64 `json:"min_rows"`
}

// TableThresholds are a table's own limits; nil means the limit for all tables.
type TableThresholds struct {
	// Databases, Schemas and Tables are patterns, in place of names. nil matches every name.
	Databases *Pattern `json:"databases"`
	Schemas   *Pattern `json:"schemas"`
	Tables    *Pattern `json:"tables"`
	// Database is empty for the tables of that name in all databases.
	Database       string         `json:"database"`
	Schema         string         `json:"schema"`
	Table          string         `json:"table"`
	DeletionRatio  *PartialLevels `json:"deletion_ratio"`
	OldDeletedRows *PartialLevels `json:"old_deleted_rows"`
	BulkRows       *float64       `json:"bulk_rows"`
	AlertMinRows   *float64       `json:"alert_min_rows"`
}

// PartialLevels replace one or both levels.
type PartialLevels struct {
	Fair    *float64 `json:"fair"`
	Poor    *float64 `json:"poor"`
	MinRows *float64 `json:"min_rows"`
}

// For returns the limits of one table.
func (t Thresholds) For(database, schema, table string) Limits {
	limits := t.Limits
	minRows := limits.DeletionRatio.MinRows
	limits.RatioMinRows = Levels{Fair: minRows, Poor: minRows}
	for _, own := range slices.Backward(t.Tables) { // the first pattern wins
		if own.ByPattern() && own.Matches(database, schema, table) {
			own.over(&limits)
		}
	}
	var ownMinRows *float64
	for _, own := range t.Tables {
		if own.ByPattern() || !own.Matches(database, schema, table) {
			continue
		}
		own.over(&limits)
		if own.DeletionRatio != nil && own.DeletionRatio.MinRows != nil {
			ownMinRows = own.DeletionRatio.MinRows
		}
	}
	replace(&limits.RatioMinRows.Fair, ownMinRows)
	replace(&limits.RatioMinRows.Poor, ownMinRows)
	return limits
}

// ByPattern reports whether the limits are for all tables that match patterns.
func (t TableThresholds) ByPattern() bool {
	return t.Databases != nil || t.Schemas != nil || t.Tables != nil
}

// Matches reports whether the limits are for a table.
func (t TableThresholds) Matches(database, schema, table string) bool {
	if t.ByPattern() {
		return t.Databases.matches(database) && t.Schemas.matches(schema) && t.Tables.matches(table)
	}
	return t.Schema == schema && t.Table == table && (t.Database == "" || t.Database == database)
}

// Pattern is an RE2 regular expression for a whole name.
type Pattern struct{ expression *regexp.Regexp }

// UnmarshalText reads the expression.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	p.expression, err = regexp.Compile("^(?s:" + string(text) + ")$")
	return err
}

// matches reports whether a name matches; nil matches every one.
func (p *Pattern) matches(name string) bool { return p == nil || p.expression.MatchString(name) }

// ratio returns how good a deletion ratio is in a table of that many rows.
func (l Limits) ratio(value, rows float64) softdelete.Health {
	switch {
	case value > l.DeletionRatio.Poor && rows >= l.RatioMinRows.Poor:
		return softdelete.Poor
	case value > l.DeletionRatio.Fair && rows >= l.RatioMinRows.Fair:
		return softdelete.Fair
	default:
		return softdelete.Good
	}
}

// small reports whether a table has so few rows that its ratio does not matter.
func (l Limits) small(n *softdelete.Numbers) bool { return n.Total.Value < l.AlertMinRows }

// over overrides limits with the table's own.
func (t TableThresholds) over(limits *Limits) {
	t.DeletionRatio.over(&limits.DeletionRatio)
	if ratio := t.DeletionRatio; ratio != nil {
		if ratio.Fair != nil {
			limits.RatioMinRows.Fair = 0
		}
		if ratio.Poor != nil {
			limits.RatioMinRows.Poor = 0
		}
		replace(&limits.RatioMinRows.Fair, ratio.MinRows)
		replace(&limits.RatioMinRows.Poor, ratio.MinRows)
	}
	t.OldDeletedRows.over(&limits.OldDeletedRows)
	replace(&limits.BulkRows, t.BulkRows)
	replace(&limits.AlertMinRows, t.AlertMinRows)
}

func (l *PartialLevels) over(levels *Levels) {
	if l != nil {
		replace(&levels.Fair, l.Fair)
		replace(&levels.Poor, l.Poor)
	}
}

func replace(limit, own *float64) {
	if own != nil {
		*limit = *own
	}
}

// health returns how good a number is.
func (l Levels) health(value float64) softdelete.Health {
	switch {
	case value > l.Poor:
		return softdelete.Poor
	case value > l.Fair:
		return softdelete.Fair
	default:
		return softdelete.Good
	}
}
