package softdelete

import (
	"slices"
	"testing"
)

// The predicates are as pg_get_expr writes them; a test of inspect has a real server
// write those that are in use.
func TestAPredicateIsReadForWhatItLetsIn(t *testing.T) {
	at := &Time{Column: "deleted_at", Type: Timestamptz}
	timestamp := Markers{{Kind: Timestamp, Column: "deleted_at", Time: at}}
	camel := Markers{{Kind: Timestamp, Column: "deletedAt"}}
	flag := Markers{{Kind: Flag, Column: "b"}}
	pair := Markers{{Kind: Pair, Column: "b", Time: at}}
	two := Markers{{Kind: Flag, Column: "deleted"}, {Kind: Flag, Column: "removed"}}
	epoch := Markers{{Kind: Epoch, Column: "e"}}
	number := Markers{{Kind: Number, Column: "s"}}
	letter := Markers{{Kind: Letter, Column: "l"}}
	status := Markers{{Kind: Status, Column: "st", Deleted: []string{"deleted", "trashed"}}}
	alive := Markers{{Kind: InvertedFlag, Column: "alive"}}
	sentinel := Markers{{Kind: Sentinel, Column: "d", Live: []string{"1970-01-01 00:00:00+00"}}}
	forever := Markers{{Kind: Sentinel, Column: "d", Live: []string{"infinity"}}}
	unread := Scope{Mentions: true}
	live := Scope{Mentions: true, Live: All, Deleted: None}
	someLive := Scope{Mentions: true, Live: Some, Deleted: None}
	deleted := Scope{Mentions: true, Live: None, Deleted: All}
	someDeleted := Scope{Mentions: true, Live: None, Deleted: Some}
	for _, test := range []struct {
		markers   Markers
		predicate string
		want      Scope
	}{
		{timestamp, ``, Scope{Live: All, Deleted: All}},
		{timestamp, `(tenant_id > 5)`, Scope{}},
		{timestamp, `(deleted_at IS NULL)`, live},
		{timestamp, `(deleted_at IS NOT NULL)`, deleted},
		{timestamp, `((deleted_at IS NULL) AND (parent_id IS NULL))`, someLive},
		{timestamp, `((deleted_at IS NULL) OR (parent_id IS NULL))`, Scope{true, All, Some}},
		{timestamp, `((deleted_at IS NULL) OR (deleted_at IS NOT NULL))`, Scope{true, All, All}},
		{timestamp, `(NOT (deleted_at IS NULL))`, deleted},
		{timestamp, `(deleted_at > '2024-01-01 00:00:00+00'::timestamp with time zone)`, someDeleted},
		{timestamp, `((deleted_at IS NULL) AND ((data ->> 'a) OR (b'::text) = 'x'::text))`, someLive},
		{timestamp, `(COALESCE(deleted_at, now()) > now())`, unread},
		{timestamp, `f(deleted_at)`, unread},
		{timestamp, `(record_deleted_at IS NULL)`, Scope{}},
		{timestamp, `(note = 'deleted_at IS NULL'::text)`, Scope{}},
		{timestamp, `deleted_at(id)`, Scope{}},
		{camel, `("deletedAt" IS NULL)`, live},
		{camel, `(deletedat IS NULL)`, Scope{}},
		{flag, `(b = false)`, live},
		{flag, `(NOT b)`, live},
		{flag, `(b IS FALSE)`, live},
		{flag, `(b IS NOT TRUE)`, live},
		{flag, `(b <> true)`, live},
		{flag, `(COALESCE(b, false) = false)`, live},
		{flag, `(NOT COALESCE(b, false))`, live},
		{flag, `(NOT (b IS TRUE))`, live},
		{flag, `(false = b)`, live},
		{flag, `b`, deleted},
		{flag, `(b = true)`, deleted},
		{flag, `(b IS TRUE)`, deleted},
		{flag, `(b <> false)`, deleted},
		{flag, `(NOT (b = false))`, deleted},
		{flag, `((NOT b) AND (email <> ''::text))`, someLive},
		{flag, `(b IS NOT FALSE)`, Scope{true, Some, All}}, // lets NULL in, which is live
		{flag, `(NOT (b IS FALSE))`, Scope{true, Some, All}},
		{flag, `(b IS NULL)`, Scope{true, Some, None}},
		{flag, `(b = other)`, unread},
		{pair, `(NOT b)`, live},
		{pair, `(deleted_at IS NULL)`, live},
		{pair, `(b AND (deleted_at IS NOT NULL))`, deleted},
		{two, `(NOT (deleted OR removed))`, live},
		{two, `((NOT deleted) AND (NOT removed))`, live},
		{two, `(NOT deleted)`, Scope{true, All, Some}},
		{two, `(deleted AND removed)`, someDeleted},
		{two, `(deleted OR removed)`, deleted},
		{epoch, `(e = 0)`, live},
		{epoch, `(e IS NULL)`, live},
		{epoch, `((e IS NULL) OR (e = 0))`, live},
		{epoch, `(COALESCE(e, (0)::bigint) = 0)`, live},
		{epoch, `(e > 0)`, deleted},
		{epoch, `(0 < e)`, deleted},
		{epoch, `(e <> 0)`, deleted},
		{epoch, `(e >= 1700000000)`, someDeleted},
		{epoch, `(e <= 0)`, live},
		{epoch, `(e = (0)::numeric)`, live},
		{number, `(s = 0)`, live},
		{number, `(s <> 0)`, deleted},
		{number, `(s = 1)`, someDeleted},
		{number, `(s = '-1'::integer)`, someDeleted},
		{number, `(s > 0)`, someDeleted}, // -1 is deleted, too
		{letter, `(l = 'N'::bpchar)`, live},
		{letter, `((l)::text = 'N'::text)`, live},
		{letter, `(l <> 'Y'::bpchar)`, live},
		{letter, `(l = '0'::bpchar)`, live},
		{letter, `(l <> '2'::bpchar)`, live},
		{letter, `(l <> 'X'::bpchar)`, Scope{true, Some, All}},
		{letter, `(l = '1'::bpchar)`, deleted},
		{letter, `(l = 'X'::bpchar)`, someLive},
		{status, `((st)::text <> 'deleted'::text)`, Scope{true, All, Some}},
		{status, `((st)::text <> ALL ((ARRAY['deleted'::character varying, 'trashed'::character varying])::text[]))`, live},
		{status, `((st)::text = ANY ((ARRAY['deleted'::character varying, 'trashed'::character varying])::text[]))`, deleted},
		{status, `(st <> ALL (ARRAY['deleted'::public.status, 'trashed'::public.status]))`, live},
		{status, `((st)::text = 'active'::text)`, someLive},
		{status, `((st)::text = ('deleted'::text || suffix))`, unread},
		{alive, `alive`, live},
		{alive, `(alive IS TRUE)`, live},
		{alive, `(NOT alive)`, deleted},
		{alive, `(alive IS NOT TRUE)`, deleted},
		{sentinel, `(d = '1970-01-01 00:00:00+00'::timestamp with time zone)`, live},
		{sentinel, `(d <> '1970-01-01 00:00:00+00'::timestamp with time zone)`, deleted},
		{sentinel, `(d = '1970-01-01 01:00:00+01'::timestamp with time zone)`, unread}, // the same instant
		{forever, `(d = 'infinity'::timestamp with time zone)`, live},
	} {
		if got := ScopeOf(test.markers, test.predicate); got != test.want {
			t.Errorf("%s on %s: %+v, want %+v", test.predicate, test.markers.Label(), got, test.want)
		}
	}
}

func TestEveryPairHasLiveAndDeletedRows(t *testing.T) {
	for name, time := range map[string]Time{
		"a time that may be NULL": {Type: Timestamptz},
		"one that may not":        {Type: Timestamptz, NotNull: true},
		"one that has a constant": {Type: Timestamptz, NotNull: true, Live: "infinity"},
		"an integer that may not": {Type: EpochTime, Unit: Seconds, NotNull: true},
	} {
		time.Column = "gone_at"
		markers := Markers{{Kind: Pair, Flag: Flag, Column: "gone", Time: &time}}
		for _, deleted := range []bool{false, true} {
			if !slices.ContainsFunc(markers.states(nil), func(s state) bool { return s.deleted == deleted && !s.odd }) {
				t.Errorf("%s: no row can be deleted=%t", name, deleted)
			}
		}
	}
}
