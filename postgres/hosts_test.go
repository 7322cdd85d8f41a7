package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The next ones get the time that one does not use.
func TestEachHostHasItsShareOfTheTimeThatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		var took []string
		takeTurns(ctx, []time.Duration{time.Hour, time.Second, time.Hour, time.Hour},
			func(ctx context.Context, uses time.Duration) bool {
				began := time.Now()
				select {
				case <-ctx.Done():
				case <-time.After(uses):
				}
				took = append(took, time.Since(began).String())
				return false
			})
		if diff := cmp.Diff([]string{"2.25s", "1s", "2.875s", "2.875s"}, took); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhoDidNotAnswerIsAskedLastForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		all := []string{"a", "b", "c"}
		s.note("a")
		if got := fmt.Sprint(last(&s, all), all); got != "[b c a] [a b c]" {
			t.Errorf("at once: %s", got)
		}
		time.Sleep(forgiveness + 1)
		s.note("b")
		if got := fmt.Sprint(last(&s, all)); got != "[a c b]" {
			t.Errorf("after a minute: %s", got)
		}
	})
}

func TestConnectTimeoutBoundsTheShareOfAHost(t *testing.T) {
	t.Parallel()
	i := newServer(t, pgtest.TwoHosts(t, pgtest.NewDatabase(t, pgtest.Shared(t)))+"&connect_timeout=1")
	began := time.Now()
	if p := i.Ping(t.Context(), time.Minute); !p.Up || time.Since(began) > 25*time.Second { // without it, half of 60 s
		t.Errorf("after %s: %s", time.Since(began), p.Err)
	}
}

// A ping tells which server it asked: the host that answered, without any secret.
func TestAPingTellsWhichServerItAsked(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	version, _, _ := strings.Cut(pgtest.Value[string](t, dsn, "SHOW server_version"), " ")
	want := &softdelete.Server{Host: c.Host, Port: int(c.Port), Database: c.Database, Version: version,
		Role: softdelete.Primary}
	i := newServer(t, strings.Replace(dsn, "@", "@127.0.0.1:1,", 1))
	if diff := cmp.Diff(want, i.Ping(t.Context(), time.Minute).Server); diff != "" {
		t.Errorf("the second of two answers (-want +got):\n%s", diff)
	}
	for source, want := range map[string]softdelete.Server{
		"postgres://me:secret@127.0.0.1:1/shop": {Host: "127.0.0.1", Port: 1, Database: "shop"},
		"postgres://me:secret@127.0.0.1:1,localhost:2/shop": {Tried: []string{"127.0.0.1:1", "localhost:2"},
			Database: "shop"},
	} {
		got := newServer(t, source).Ping(t.Context(), time.Minute)
		if diff := cmp.Diff(&want, got.Server); got.Up || diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// The error names each host with its own message.
func TestTheErrorTellsHowEachHostFailed(t *testing.T) {
	t.Parallel()
	i := newServer(t, strings.Replace(pgtest.TwoHosts(t, pgtest.NewDatabase(t, pgtest.Shared(t))), "@", "@127.0.0.1:1,",
		1)+"&target_session_attrs=standby")
	p := i.Ping(t.Context(), 2*time.Second)
	for _, want := range []string{"127.0.0.1:1 ", "connection refused; ", "no answer in time; ",
		"not in hot standby mode"} {
		if !strings.Contains(p.Err, want) {
			t.Errorf("it does not say %q: %s", want, p.Err)
		}
	}
}

func TestHostsAreTriedInTheOrderThatTheStringAsksFor(t *testing.T) {
	for text, want := range map[string]string{
		"host=a,b":                                     "a any, b any",
		"host=a,b target_session_attrs=primary":        "a primary, b primary",
		"host=a,b target_session_attrs=prefer-standby": "a standby, b standby, a any, b any",
	} {
		info, err := conninfo.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range attempts(info) {
			got = append(got, a.Name+" "+a.kind)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
	info, err := conninfo.Parse("host=a,b,c load_balance_hosts=random")
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{}
	for range 200 {
		first[attempts(info)[0].Name] = true
	}
	if len(first) != 3 {
		t.Errorf("only %v are tried first", first)
	}
}
