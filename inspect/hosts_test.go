package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestASilentHostLeavesTimeToTheOthers(t *testing.T) {
	for _, what := range []string{"ping", "refresh"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, deletedAt("users"))
			i := inspector(t, pgtest.TwoHosts(t, dsn), "ping: {timeout: 5s}")
			if what == "ping" {
				if p := i.Ping(t.Context()); !p.Up {
					t.Errorf("it is down: %s", p.Err)
				}
			}
			want := map[string]string{"public.users": "10 4 3"}
			if diff := cmp.Diff(want, told(first(t, i))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
