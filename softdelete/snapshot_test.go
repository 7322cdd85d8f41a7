package softdelete

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func counted(at time.Time) Table {
	t := Table{Name: "users"}
	t.Succeed(ExactNumbers(10, 5), at)
	return t
}

func TestExpireTakesOldNumbersAndNothingElse(t *testing.T) {
	waiting := counted(noon.Add(-2 * time.Hour))
	waiting.Waiting = true
	before := &Snapshot{Taken: noon, Databases: []Database{{Name: "shop", Tables: []Table{
		counted(noon.Add(-time.Hour)), counted(noon.Add(-time.Hour - time.Second)), waiting,
	}}}}
	after := before.Expire(noon, time.Hour)
	for i, want := range []bool{true, false, true} {
		if got := after.Databases[0].Tables[i].Numbers != nil; got != want {
			t.Errorf("table %d has numbers: %t", i, got)
		}
		if before.Databases[0].Tables[i].Numbers == nil {
			t.Errorf("the published snapshot was changed, at table %d", i)
		}
	}
	if after.Expire(noon, time.Hour) != after {
		t.Error("a snapshot in which nothing is old was copied")
	}
}

func TestExpireTakesOldChecksOneByOne(t *testing.T) {
	found, old := &Found{}, noon.Add(-time.Hour-time.Second)
	table := counted(noon)
	table.Integrity = []Check{{Found: found, At: noon}, {Constraint: "old", Found: found, At: old},
		{Constraint: "waiting", Found: found, At: old, Waiting: true}}
	before := &Snapshot{Databases: []Database{{Tables: []Table{table}}}}
	after := before.Expire(noon, time.Hour)
	for i, want := range []bool{true, false, true} {
		if got := after.Databases[0].Tables[0].Integrity[i].Found != nil; got != want {
			t.Errorf("check %d is known: %t", i, got)
		}
		if before.Databases[0].Tables[0].Integrity[i].Found == nil {
			t.Errorf("the published snapshot was changed, at check %d", i)
		}
	}
	if after.Databases[0].Tables[0].Numbers == nil {
		t.Error("the numbers were removed together with the checks")
	}
	if after.Expire(noon, time.Hour) != after {
		t.Error("a snapshot in which nothing is old was copied")
	}
}

func TestAFailingTableIsAskedLessAndLess(t *testing.T) {
	const ttl = 5 * time.Minute
	table := counted(noon)
	var pauses []time.Duration
	for range 8 {
		table.Fail(Problem{Reason: TimedOut}, false, noon, ttl)
		pause := time.Duration(0)
		if !table.RetryAt.IsZero() {
			pause = table.RetryAt.Sub(noon)
		}
		pauses = append(pauses, pause)
	}
	want := []time.Duration{0, 0, 2 * ttl, 4 * ttl, 8 * ttl, time.Hour, time.Hour, time.Hour}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if table.Numbers == nil || table.State() != Failed {
		t.Errorf("numbers %v, state %s: want the last good numbers in addition to the problem", table.Numbers, table.State())
	}
	table.Succeed(ExactNumbers(1, 0), noon)
	if table.State() != Counted || table.Failures != 0 || !table.RetryAt.IsZero() {
		t.Errorf("after a success: %+v", table)
	}
}

// A restart of the server is not a fault of a table. But a table whose count ends the server every time must be found
// and paused.
func TestOnlyTheThirdLossOfTheServerIsATablesProblem(t *testing.T) {
	const ttl = 5 * time.Minute
	table := counted(noon)
	for range 2 {
		table.Interrupt(Problem{Reason: OtherError}, noon, ttl)
		if table.Problem != nil || !table.RetryAt.IsZero() || table.Numbers == nil || table.State() != Pending {
			t.Errorf("a restart left %+v", table)
		}
	}
	table.Interrupt(Problem{Reason: OtherError}, noon, ttl)
	if table.State() != Failed || table.RetryAt.Sub(noon) != 2*ttl {
		t.Errorf("the third loss in a row left the state %s and a pause of %s", table.State(), table.RetryAt.Sub(noon))
	}
	table.Succeed(ExactNumbers(1, 0), noon)
	if table.Interrupt(Problem{Reason: OtherError}, noon, ttl); table.Problem != nil {
		t.Error("losses before a success were counted")
	}
}

func TestPassingTroubleNeverMakesATablePause(t *testing.T) {
	var table Table
	for range 9 {
		table.Fail(Problem{Reason: Locked}, true, noon, time.Minute)
	}
	if !table.RetryAt.IsZero() || table.Failures != 0 {
		t.Errorf("%+v", table)
	}
}

func TestATableIsAlwaysInOneState(t *testing.T) {
	problem := counted(noon)
	problem.Fail(Problem{Reason: Locked}, true, noon, time.Minute)
	waiting := counted(noon)
	waiting.Waiting = true
	expired := counted(noon)
	expired.Numbers = nil
	if got := expired.State(); got != Failed {
		t.Errorf("a table whose numbers are too old to be shown is %s", got)
	}
	for want, table := range map[State]Table{Pending: {}, Counted: counted(noon), Failed: problem} {
		if got := table.State(); got != want {
			t.Errorf("state = %s, want %s", got, want)
		}
	}
	if got := waiting.State(); got != Pending {
		t.Errorf("a table that waits is %s", got)
	}
}

func TestNumbersAreThoseOfAnotherTableOnceItsMeaningChanged(t *testing.T) {
	table := func(change func(*Table)) *Table {
		t := &Table{OID: 1, Markers: Markers{{Kind: Flag, Column: "deleted"}},
			Policy: Policy{Retention: time.Hour, TimeZone: "UTC", Service: "a"}}
		change(t)
		return t
	}
	base := table(func(*Table) {})
	for name, test := range map[string]struct {
		change func(*Table)
		same   bool
	}{
		"nothing":   {func(*Table) {}, true},
		"service":   {func(t *Table) { t.Policy.Service = "b" }, true},
		"relation":  {func(t *Table) { t.OID = 2 }, false},
		"marker":    {func(t *Table) { t.Markers = Markers{{Kind: Flag, Column: "gone"}} }, false},
		"kind":      {func(t *Table) { t.Markers = Markers{{Kind: Timestamp, Column: "deleted"}} }, false},
		"zone":      {func(t *Table) { t.Policy.TimeZone = "Europe/Paris" }, false},
		"retention": {func(t *Table) { t.Policy.Retention = time.Minute }, false},
	} {
		if got := base.SameSubject(table(test.change)); got != test.same {
			t.Errorf("after a change of %s: same = %t", name, got)
		}
	}
}

func TestTheRatioOfAnEmptyTableIsZero(t *testing.T) {
	if got := ExactNumbers(0, 0).Ratio; got != (Estimate{}) {
		t.Errorf("ratio = %+v", got)
	}
}
