package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/mixin"
)

// perTable lists the limits that a table can override.
var perTable = []string{
	"deletion_ratio", "old_deleted_rows", "purge_period_seconds", "purge_grace_seconds",
	"bulk_rows", "bulk_share", "bulk_times_usual", "alert_min_rows", "stale_after_ttls",
}

// shares lists the limits that are fractions.
var shares = []string{"failed_share", "bulk_share", "release_share"}

// thresholds reads the limits that the mixin and the report share, and applies the user's file, which has the
// same shape, as a merge patch (RFC 7396). The mixin does the same.
func thresholds(file string) (assess.Thresholds, error) {
	defaults, err := document(mixin.Thresholds)
	if err != nil {
		return assess.Thresholds{}, fmt.Errorf("built-in thresholds: %w", err)
	}
	overrides := map[string]any{}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return assess.Thresholds{}, fmt.Errorf("thresholds_file: %w", err)
		}
		if overrides, err = document(text); err != nil {
			return assess.Thresholds{}, fmt.Errorf("thresholds_file: %s: %w", file, err)
		}
	}
	var f faults
	f.thresholds(file+": thresholds", defaults, overrides)
	if len(f) > 0 {
		return assess.Thresholds{}, errors.Join(f...)
	}
	merged, err := json.Marshal(patch(defaults, overrides))
	if err != nil {
		return assess.Thresholds{}, fmt.Errorf("thresholds: %w", err)
	}
	var t assess.Thresholds
	if err := json.Unmarshal(merged, &t); err != nil {
		return assess.Thresholds{}, fmt.Errorf("thresholds: %w", err)
	}
	return t, nil
}

// document reads one JSON object, and rejects anything after it.
func document(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		var at *json.SyntaxError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at.Offset], []byte("\n")), err)
		}
		var other *json.UnmarshalTypeError
		if errors.As(err, &other) {
			return nil, errors.New("write one JSON object, of the shape of thresholds.json")
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF || object == nil {
		return nil, errors.New("write one JSON object, of the shape of thresholds.json, and nothing else")
	}
	return object, nil
}

// thresholds records the errors in overrides of the limits.
func (f *faults) thresholds(where string, defaults, overrides map[string]any) {
	before := len(*f)
	f.limits(where, without(overrides, "tables"), without(defaults, "tables"))
	all := defaults
	if len(*f) == before {
		all = patch(defaults, overrides)
		f.levels(where, all)
	}
	tables, given := overrides["tables"]
	if !given {
		return
	}
	list, ok := tables.([]any)
	if !ok {
		f.add(where+".tables", "a list is needed, not %s", kind(tables))
	}
	for i, entry := range list {
		f.tableLimits(fmt.Sprintf("%s.tables[%d]", where, i), entry, all)
	}
}

// tableLimits records the errors in the limits of one table, which are merged into the limits for all tables.
func (f *faults) tableLimits(where string, entry any, all map[string]any) {
	model := map[string]any{"database": "", "schema": "", "table": "", "databases": "", "schemas": "", "tables": ""}
	for _, name := range perTable {
		model[name] = all[name]
	}
	before := len(*f)
	f.limits(where, entry, model)
	own, ok := entry.(map[string]any)
	byPattern := false
	for _, name := range []string{"databases", "schemas", "tables"} {
		pattern, given := own[name].(string)
		byPattern = byPattern || given
		if _, err := regexp.Compile(pattern); err != nil {
			f.add(where+"."+name, "%q is not a pattern: %v; write an RE2 regular expression", pattern, err)
		}
	}
	for _, name := range []string{"database", "schema", "table"} {
		switch {
		case byPattern && own[name] != nil:
			f.add(where+"."+name, "cannot be used together with patterns; write a pattern in %ss instead", name)
		case !byPattern && own[name] == nil && name != "database" && ok:
			f.add(where+"."+name, "is missing; it says which table the limits are for")
		}
	}
	if len(*f) == before {
		f.levels(where, patch(model, own))
	}
}

// limits compares a document with a model of its shape.
func (f *faults) limits(where string, value, model any) {
	switch model := model.(type) {
	case map[string]any:
		object, ok := value.(map[string]any)
		if !ok {
			f.add(where, "an object is needed, not %s", kind(value))
			return
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if _, known := model[name]; !known {
				f.add(where+"."+name, "is unknown; the known names are %s", strings.Join(slices.Sorted(maps.Keys(model)), ", "))
				continue
			}
			f.limits(where+"."+name, object[name], model[name])
		}
	case float64:
		if number, ok := value.(float64); !ok {
			f.add(where, "a number is needed, not %s", kind(value))
		} else if number < 0 {
			f.add(where, "a limit cannot be negative, as %g is", number)
		}
	default:
		if _, ok := value.(string); !ok {
			f.add(where, "a text is needed, not %s", kind(value))
		}
	}
}

// levels compares the levels of merged limits with each other.
func (f *faults) levels(where string, limits map[string]any) {
	for _, name := range []string{"deletion_ratio", "old_deleted_rows"} {
		levels := limits[name].(map[string]any)
		fair, poor := levels["fair"].(float64), levels["poor"].(float64)
		if fair > poor {
			f.add(where+"."+name, "fair (%g) must not be above poor (%g)", fair, poor)
		}
		for _, level := range []string{"fair", "poor"} {
			if name == "deletion_ratio" {
				f.fraction(where+"."+name+"."+level, levels[level])
			}
		}
	}
	for _, name := range shares {
		f.fraction(where+"."+name, limits[name])
	}
}

// fraction records an error if a share is above 1. A table may leave it out.
func (f *faults) fraction(where string, share any) {
	if value, ok := share.(float64); ok && value > 1 {
		f.add(where, "write a fraction from 0 to 1, not a percentage: %g is 100 times %g", value, value/100)
	}
}

// patch applies one document to another as a merge patch (RFC 7396) and changes neither.
func patch(document, over map[string]any) map[string]any {
	merged := maps.Clone(document)
	for name, value := range over {
		below, nested := document[name].(map[string]any)
		if object, ok := value.(map[string]any); ok && nested {
			value = patch(below, object)
		}
		merged[name] = value
	}
	return merged
}

func without(object map[string]any, name string) map[string]any {
	rest := maps.Clone(object)
	delete(rest, name)
	return rest
}

// kind describes a JSON value for an error message.
func kind(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("the switch %t", value)
	case float64:
		return fmt.Sprintf("the number %g", value)
	case string:
		return fmt.Sprintf("the text %q", value)
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
