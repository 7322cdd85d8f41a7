package indexes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Advice is what to do about one index, or about one that is missing, for a DBA to
// weigh. Its SQL is written by queries.
type Advice struct {
	// Problem is what is wrong with Index; empty when an index is missing, of which
	// Purpose tells what for.
	Problem Problem
	Purpose Purpose
	Index   *softdelete.Index
	// Reason says in one sentence why, Costs what it takes.
	Reason string
	Costs  []string
	// Bytes is what is won: of disk, cache and writes, or what a purge need not read.
	// Proved tells that a hypothetical index was asked;
	// else it is an estimate from sizes and the deletion ratio.
	Bytes  int64
	Proved bool
	// Rows is what is won where bytes are not the point: rows that are enforced, or
	// whose keys are free again.
	Rows int64
	// Do are the next steps; Consider comes only when they proved good.
	Do, Consider []Step
	// Source is where PostgreSQL's documentation says so.
	Source string
}

// Step is one thing to do.
type Step struct {
	Action Action
	// Index is the subject of all actions on an index that is there.
	Index *softdelete.Index
	// New is the index that CreateIndex makes, and that FindDuplicates makes way for.
	New *NewIndex
}

// Action is what a step does.
type Action string

// The actions of a step.
const (
	CreateIndex    Action = "create_index"
	ReindexIndex   Action = "reindex_index"
	FindDuplicates Action = "find_duplicates"
	CheckUse       Action = "check_use" // on each replica
	ShowDefinition Action = "show_definition"
	DropIndex      Action = "drop_index" // only ever to be considered
)

const docs = "https://www.postgresql.org/docs/current/"

// sources are the pages of PostgreSQL's documentation that an advice follows.
var sources = map[Problem]string{
	Invalid:                   docs + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
	Unused:                    docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	Duplicate:                 docs + "indexes-intro.html",
	PlainFlag:                 docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	HoldsDeleted:              docs + "indexes-partial.html",
	UniqueIgnoresDeleted:      docs + "indexes-partial.html#INDEXES-PARTIAL-EX3",
	UniqueAllowsLiveDuplicate: docs + "indexes-unique.html",
}

// Advise says what to do about the indexes of a table, the most important first.
func Advise(t *softdelete.Table) []Advice {
	if t.Indexing == nil {
		return nil
	}
	a := adviser{table: table{t}, names: namer{taken: t.Indexing.Names, given: map[string]bool{}}}
	var all []Advice
	for _, f := range Findings(t) {
		advice := a.on(f)
		advice.Problem, advice.Index, advice.Source = f.Problem, f.Index, sources[f.Problem]
		all = append(all, advice)
	}
	all = append(all, a.missing(all)...)
	all = slices.DeleteFunc(all, func(broken Advice) bool {
		return broken.Problem == Invalid && slices.ContainsFunc(all, func(o Advice) bool { return o.Problem != Invalid && o.repairs(broken.Index) })
	})
	slices.SortStableFunc(all, Advice.Compare)
	return all
}

// Compare orders advice: first what is wrong with the data, then what is broken,
// then what is won, the most bytes first, and last what is but a question.
func (a Advice) Compare(b Advice) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Rows, a.Rows))
}

// repairs tells that a step mends an invalid index.
func (a Advice) repairs(i *softdelete.Index) bool {
	return slices.ContainsFunc(a.Do, func(s Step) bool {
		return s.Action == ReindexIndex && s.Index == i || s.Action == CreateIndex && s.New.Exists && s.New.Name == i.Name
	})
}

func (a Advice) rank() int {
	return map[Problem]int{UniqueAllowsLiveDuplicate: -2, Invalid: -1, UniqueIgnoresDeleted: 1}[a.Problem]
}

// adviser writes the advice for one table.
type adviser struct {
	table
	names namer
}

// on is the advice on a finding.
func (a adviser) on(f Finding) Advice {
	i := f.Index
	switch f.Problem {
	case Invalid:
		return a.invalid(i)
	case Unused:
		return a.idle(i, fmt.Sprintf("Nothing has read index %s of %s in the %d days of this server's statistics, and every write maintains it.", i.Name, softdelete.Size(i.Bytes), a.days()))
	case PlainFlag:
		return a.idle(i, fmt.Sprintf("Neither value of %s is rare enough for index %s of %s to be faster than reading the table, and nothing has used it in %d days.",
			i.Keys[0].Column, i.Name, softdelete.Size(i.Bytes), a.days()))
	case Duplicate:
		return Advice{
			Bytes:    i.Bytes,
			Reason:   fmt.Sprintf("Index %s repeats %s, column for column, so that every write is done twice.", i.Name, f.Twin.Name),
			Costs:    []string{"None that we know of; compare the two definitions first."},
			Do:       []Step{{Action: ShowDefinition, Index: i}, {Action: ShowDefinition, Index: f.Twin}},
			Consider: []Step{{Action: DropIndex, Index: i}},
		}
	case HoldsDeleted:
		return a.withoutDeleted(i)
	case UniqueIgnoresDeleted:
		return a.ignoring(i)
	default:
		return a.allowing(i)
	}
}

// days is how far back the counters reach.
func (a adviser) days() int {
	return int(a.Indexing.At.Sub(a.Indexing.Since).Hours() / 24)
}

// idle is the advice on an index that nothing reads.
func (a adviser) idle(i *softdelete.Index, reason string) Advice {
	return Advice{
		Bytes:  i.Bytes,
		Reason: reason,
		Costs: []string{"Replicas count for themselves: what they read is not seen here. Ask each of them first.",
			"PostgreSQL keeps no creation time: an index that is younger than the statistics has had less time to be used."},
		Do:       []Step{{Action: CheckUse, Index: i}},
		Consider: []Step{{Action: DropIndex, Index: i}},
	}
}

// invalid is the advice on what a failed concurrent build left behind.
func (a adviser) invalid(i *softdelete.Index) Advice {
	advice := Advice{
		Bytes:  i.Bytes,
		Reason: fmt.Sprintf("Index %s is invalid: no query uses it, and every write still maintains it.", i.Name),
	}
	switch missing := a.completed(i); {
	case missing != nil:
		advice.Reason = fmt.Sprintf("Partitioned index %s is invalid: %d of %d partitions have no index that belongs to it.", i.Name, missing.missing(), len(missing.Parts))
		advice.Do = []Step{{Action: CreateIndex, New: missing}}
	case isLeftover(i):
		advice.Reason = fmt.Sprintf("Index %s is what an interrupted REINDEX CONCURRENTLY left behind: no query uses it, and every write still maintains it.", i.Name)
		advice.Do = []Step{{Action: ShowDefinition, Index: i}}
		advice.Consider = []Step{{Action: DropIndex, Index: i}}
	case i.Unique:
		advice.Costs = []string{"It is unique: the build fails again while rows with equal keys are there. Find them first."}
		advice.Do = []Step{{Action: FindDuplicates, New: &NewIndex{Keys: i.Keys, Predicate: i.Predicate}}, {Action: ReindexIndex, Index: i}}
	default:
		advice.Do = []Step{{Action: ReindexIndex, Index: i}}
	}
	return advice
}

// withoutDeleted is the advice to make an index smaller by the deleted rows.
func (a adviser) withoutDeleted(i *softdelete.Index) Advice {
	deleted := a.Numbers.Ratio.Value
	advice := Advice{
		Bytes:    max(0, a.saves(i)-a.hot(i)),
		Proved:   i.Trial != nil,
		Reason:   fmt.Sprintf("%.0f%% of the entries of index %s of %s are of deleted rows, which no query for live rows needs.", 100*deleted, i.Name, softdelete.Size(i.Bytes)),
		Costs:    append(a.hotCost(), a.predicateCost()...),
		Consider: []Step{{Action: CheckUse, Index: i}, {Action: DropIndex, Index: i}},
	}
	a.build(&advice, &NewIndex{Method: i.Method, Keys: i.Keys, Include: i.Include, Rows: LiveRows, Markers: a.Markers},
		func(o *softdelete.Index) bool { return holdsLive(o, i.Keys, false) })
	return advice
}

// hot is what being the first index to mention the marker costs, which is set
// against the largest gain.
func (a adviser) hot(i *softdelete.Index) int64 {
	if all := a.shrinking(); len(all) > 0 && all[0] == i {
		return a.firstMention(all)
	}
	return 0
}

// missing is the advice on indexes that would pay; others is what was said already.
func (a adviser) missing(others []Advice) []Advice {
	if a.Numbers == nil {
		return nil
	}
	var all []Advice
	if pays, present := a.liveIndexState(); pays {
		for _, i := range a.shrinking() {
			said := slices.ContainsFunc(others, func(o Advice) bool { return o.Index == i })
			if said || present && !a.hasLive(i.Keys, false) {
				continue
			}
			advice := a.withoutDeleted(i)
			advice.Purpose, advice.Index, advice.Source = LiveRows, i, sources[HoldsDeleted]
			all = append(all, advice)
		}
	}
	if a.purgePays() {
		for _, m := range Unpurgeable(a.Table) {
			all = append(all, a.purge(m))
		}
	}
	return all
}

// purge is the advice to have an index for removing what is past retention.
func (a adviser) purge(m softdelete.Marker) Advice {
	keys := []softdelete.Key{{Column: m.Time.Column}}
	advice := Advice{
		Purpose: Purge,
		Bytes:   a.purgeReadBytes(),
		Reason: fmt.Sprintf("Without an index on %s a purge in batches of %d rows reads the %s of the table %.0f times; a partial index holds deleted rows only.",
			m.Time.Column, purgeBatch, softdelete.Size(a.Indexing.Bytes), a.purgeBatches()),
		Costs:  append([]string{fmt.Sprintf("It holds an entry for each of the %.0f deleted rows.", a.Numbers.Deleted.Value)}, a.hotCost()...),
		Source: docs + "indexes-partial.html",
	}
	a.build(&advice, &NewIndex{Method: "btree", Keys: keys, Rows: Purge, Markers: softdelete.Markers{m}}, func(i *softdelete.Index) bool { return findsOld(i, m) })
	return advice
}

// ignoring is the question whether a deleted row should block its key.
func (a adviser) ignoring(i *softdelete.Index) Advice {
	advice := Advice{
		Rows:   int64(a.Numbers.Deleted.Value),
		Reason: fmt.Sprintf("A deleted row keeps its %s for ever: is unique index %s meant to hold for deleted rows too?", columns(i.Keys), i.Name),
		Costs: append([]string{
			fmt.Sprintf("ON CONFLICT (%s) fails at once when the full index is gone: first add the WHERE of the partial index to it.", columns(i.Keys)),
			"Restoring a deleted row fails when its key has been taken since.",
		}, a.hotCost()...),
		Consider: []Step{{Action: DropIndex, Index: i}},
	}
	a.build(&advice, &NewIndex{Method: i.Method, Unique: true, Keys: i.Keys, Include: i.Include, Rows: LiveRows, Markers: a.Markers},
		func(o *softdelete.Index) bool { return holdsLive(o, i.Keys, true) })
	return advice
}

// allowing is the advice to enforce among live rows what a unique index only seems to.
func (a adviser) allowing(i *softdelete.Index) Advice {
	keys, _ := a.withoutNulls(i)
	enforcing := &NewIndex{Method: i.Method, Unique: true, Keys: keys, Rows: LiveRows, Markers: a.Markers, Predicate: i.Predicate}
	if i.Scope.LiveOnly() && i.Scope.Live == softdelete.All {
		enforcing.Predicate = "" // it says no more than Rows
	}
	advice := Advice{
		Reason: fmt.Sprintf("Unique index %s enforces nothing among live rows: one of its columns is NULL in each of them, and NULLs are distinct.", i.Name),
		Costs: append([]string{"The build fails while live rows with equal keys are there, and leaves an invalid index that every write maintains. Find them first.",
			fmt.Sprintf("ON CONFLICT must name (%s) and the WHERE of the partial index.", columns(keys))}, a.hotCost()...),
	}
	if !requiredByOthers(i) {
		advice.Consider = []Step{{Action: DropIndex, Index: i}}
	}
	a.build(&advice, enforcing, func(o *softdelete.Index) bool { return isConstraint(o) && within(o, keys) && a.holdsLiveOf(o, i) })
	if len(advice.Do) > 0 && advice.Do[0].Action == CreateIndex {
		advice.Do = slices.Insert(advice.Do, 0, Step{Action: FindDuplicates, New: enforcing})
	}
	if a.Numbers != nil {
		advice.Rows = int64(a.Numbers.Active.Value)
	}
	return advice
}

// hotCost warns of the end of HOT soft deletes, where it would come.
func (a adviser) hotCost() []string {
	if a.Numbers == nil || a.firstMention(nil) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("No index mentions %s yet. With this one soft deletes are never HOT again (%.0f%% of all updates were so far): each adds an entry to every full index.",
		a.Markers.Label(), 100*a.Indexing.HOT)}
}

// predicateCost warns of the queries that cannot use a partial index.
func (a adviser) predicateCost() []string {
	costs := []string{"Queries that look for deleted rows, too, cannot use it; they would lose the full index."}
	if slices.ContainsFunc(a.Markers, func(m softdelete.Marker) bool { return lowCardinality(m) }) {
		costs = append(costs, fmt.Sprintf("A generic plan of %s = $1 cannot use it either: queries must write the value out.", a.Markers[0].Column))
	}
	return costs
}

// columns are the keys as a person would name them.
func columns(keys []softdelete.Key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Column + k.Expression
	}
	return strings.Join(names, ", ")
}

// hasLive tells whether an index of these keys, without deleted rows, is there.
func (t table) hasLive(keys []softdelete.Key, unique bool) bool {
	return slices.ContainsFunc(t.Indexing.Indexes, func(i softdelete.Index) bool { return i.Valid && holdsLive(&i, keys, unique) })
}

// holdsLive tells that the index is one of these keys without deleted rows.
func holdsLive(i *softdelete.Index, keys []softdelete.Key, unique bool) bool {
	return i.Scope.LiveOnly() && i.Scope.Live == softdelete.All && slices.Equal(i.Keys, keys) && (i.Unique || !unique)
}

// Missing says that there is no index for the purpose.
func (p Purpose) Missing() string {
	if p == Purge {
		return "an index for the purge would pay"
	}
	return "an index without deleted rows would pay"
}
