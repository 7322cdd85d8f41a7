//go:build e2e

package purge

import (
	"fmt"
	"strings"
)

// write writes the tables, their rows, and the foreign keys between them.
func (w *world) write() {
	for _, t := range w.tables {
		var columns []string
		for i, c := range t.key.columns {
			columns = append(columns, c+" "+t.key.types[i])
		}
		columns = append(columns, "label text", "note text")
		if t.shape.columns != "" {
			columns = append(columns, t.shape.columns)
		}
		for _, k := range t.keys {
			for i, c := range k.parent.key.columns {
				columns = append(columns, fmt.Sprintf("r%d_%s %s", k.n, c, k.parent.key.refers(w.version)[i]))
			}
		}
		columns = append(columns, "PRIMARY KEY ("+strings.Join(t.key.columns, ", ")+")")
		by := ""
		if t.partitioned {
			by = " PARTITION BY HASH (" + t.key.columns[0] + ")"
		}
		unlogged := ""
		if !t.partitioned && w.chance(5) && len(t.keys) == 0 && !w.referenced(t) {
			unlogged = "UNLOGGED "
		}
		fmt.Fprintf(&w.sql, "CREATE %sTABLE %s (%s)%s;\n", unlogged, t, strings.Join(columns, ", "), by)
		if t.partitioned {
			w.partition(t)
		}
		w.insert(t)
		if t.shape.settings != "" {
			fmt.Fprintf(&w.entries, "  - schema: %q\n    table: %q\n    %s\n", t.schema, t.name, t.shape.settings)
		}
	}
	for _, t := range w.tables {
		for _, k := range t.keys {
			w.foreignKey(t, k)
		}
	}
}

func (w *world) referenced(t *table) bool {
	for _, o := range w.tables {
		for _, k := range o.keys {
			if k.parent == t {
				return true
			}
		}
	}
	return false
}

// partition makes three partitions, one of which has two of its own.
func (w *world) partition(t *table) {
	part := func(of string, n, modulus int, by string) string {
		name := ident(t.schema) + "." + ident(fmt.Sprintf("%.30s part %d of %d", t.name, n, modulus))
		fmt.Fprintf(&w.sql, "CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (MODULUS %d, REMAINDER %d)%s;\n", name, of,
			modulus, n, by)
		return name
	}
	part(t.String(), 0, 3, "")
	part(t.String(), 1, 3, "")
	sub := part(t.String(), 2, 3, " PARTITION BY HASH ("+t.key.columns[0]+")")
	part(sub, 0, 2, "")
	part(sub, 1, 2, "")
}

// insert writes the rows. If a column is added later, it first writes those that existed before.
func (w *world) insert(t *table) {
	late := t.shape.after != ""
	w.insertRows(t, func(r *row) bool { return r.live || !late }, late && t.shape.columns == "")
	if late {
		fmt.Fprintf(&w.sql, t.shape.after+";\n", t)
		w.insertRows(t, func(r *row) bool { return !r.live }, false)
	}
}

func (w *world) insertRows(t *table, which func(*row) bool, unmarked bool) {
	names := append(append([]string{}, t.key.columns...), "label", "note")
	if t.shape.names != "" && !unmarked {
		names = append(names, t.shape.names)
	}
	for _, k := range t.keys {
		for _, c := range k.parent.key.columns {
			names = append(names, fmt.Sprintf("r%d_%s", k.n, c))
		}
	}
	var tuples []string
	for _, r := range t.rows {
		if !which(r) {
			continue
		}
		values := append(t.key.written(t.key.parent, r.n), text(r.label()), text(fmt.Sprintf("%s %d", t.name, r.n)))
		if t.shape.names != "" && !unmarked {
			values = append(values, r.values)
		}
		for _, k := range t.keys {
			if to := r.references[k]; to != nil {
				values = append(values, k.parent.key.written(k.parent.key.child, to.n)...)
			} else {
				values = append(values, strings.Split(strings.Repeat("NULL ", len(k.parent.key.columns)),
					" ")[:len(k.parent.key.columns)]...)
			}
		}
		tuples = append(tuples, "("+strings.Join(values, ", ")+")")
	}
	if len(tuples) > 0 {
		fmt.Fprintf(&w.sql, "INSERT INTO %s (%s) VALUES %s;\n", t, strings.Join(names, ", "), strings.Join(tuples, ",\n  "))
	}
}

func (k key) written(forms []string, n int) []string {
	values := make([]string, len(forms))
	for i, form := range forms {
		values[i] = fmt.Sprintf(form, n)
	}
	return values
}

func (w *world) foreignKey(t *table, k *foreignKey) {
	var columns []string
	for _, c := range k.parent.key.columns {
		columns = append(columns, fmt.Sprintf("r%d_%s", k.n, c))
	}
	more := pick(w, []string{"", "", " DEFERRABLE INITIALLY DEFERRED"})
	if !t.partitioned && !k.parent.partitioned && w.chance(10) {
		more += " NOT VALID"
	}
	fmt.Fprintf(&w.sql, "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s ON DELETE %s%s;\n",
		t, ident(pick(w, odd)+fmt.Sprint(k.n)), strings.Join(columns, ", "), k.parent, k.action, more)
	if t.partitioned || w.chance(50) {
		where := ""
		if w.chance(20) {
			where = " WHERE " + columns[0] + " IS NOT NULL"
		}
		fmt.Fprintf(&w.sql, "CREATE INDEX ON %s (%s)%s;\n", t, strings.Join(columns, ", "), where)
	}
}
