package predicate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// These predicates are in the form of pg_get_expr. A test of inspect lets a real server write the common ones.
func TestAPredicateIsReadForWhatItLetsIn(t *testing.T) {
	at := &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}
	timestamp := softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at", Time: at}}
	camel := softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deletedAt"}}
	flag := softdelete.Markers{{Kind: softdelete.Flag, Column: "b"}}
	pair := softdelete.Markers{{Kind: softdelete.Pair, Column: "b", Time: at}}
	two := softdelete.Markers{{Kind: softdelete.Flag, Column: "deleted"}, {Kind: softdelete.Flag, Column: "removed"}}
	epoch := softdelete.Markers{{Kind: softdelete.Epoch, Column: "e"}}
	number := softdelete.Markers{{Kind: softdelete.Number, Column: "s"}}
	letter := softdelete.Markers{{Kind: softdelete.Letter, Column: "l"}}
	status := softdelete.Markers{{Kind: softdelete.Status, Column: "st", Deleted: []string{"deleted", "trashed"}}}
	var many softdelete.Markers
	for n := range 30 {
		many = append(many, softdelete.Marker{Kind: softdelete.Letter, Column: fmt.Sprint("l", n)})
	}
	alive := softdelete.Markers{{Kind: softdelete.InvertedFlag, Column: "alive"}}
	always := &softdelete.Time{Column: "d", Type: softdelete.Timestamptz, NotNull: true}
	sentinel := softdelete.Markers{{Kind: softdelete.Sentinel, Column: "d", Live: []string{"1970-01-01 00:00:00+00"},
		Time: always}}
	constant := func(live string) softdelete.Markers {
		return softdelete.Markers{{Kind: softdelete.Sentinel, Column: "d", Live: []string{live}, Time: always}}
	}
	said, zoned, midday := constant("1970-01-01"), constant("1970-01-01 01:00:00+01"), constant("1970-01-01 12:00:00")
	forever := softdelete.Markers{{Kind: softdelete.Sentinel, Column: "d", Live: []string{"infinity"}, Time: always}}
	beside := softdelete.Markers{{Kind: softdelete.Sentinel, Column: "d", Live: []string{"infinity"},
		Time: &softdelete.Time{Column: "d", Type: softdelete.Timestamptz}}}
	unread := softdelete.Scope{Mentions: true}
	live := softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.None}
	someLive := softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.None}
	deleted := softdelete.Scope{Mentions: true, Live: softdelete.None, Deleted: softdelete.All}
	someDeleted := softdelete.Scope{Mentions: true, Live: softdelete.None, Deleted: softdelete.Some}
	for _, test := range []struct {
		markers   softdelete.Markers
		predicate string
		want      softdelete.Scope
	}{
		{timestamp, ``, softdelete.Scope{Live: softdelete.All, Deleted: softdelete.All}},
		{timestamp, `(tenant_id > 5)`, softdelete.Scope{}},
		{timestamp, `(deleted_at IS NULL)`, live},
		{timestamp, `(deleted_at IS NOT NULL)`, deleted},
		{timestamp, `((deleted_at IS NULL) AND (parent_id IS NULL))`, someLive},
		{timestamp, `((deleted_at IS NULL) OR (parent_id IS NULL))`,
			softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.Some}},
		{timestamp, `((deleted_at IS NULL) OR (deleted_at IS NOT NULL))`,
			softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.All}},
		{timestamp, `(NOT (deleted_at IS NULL))`, deleted},
		{timestamp, `(deleted_at > '2024-01-01 00:00:00+00'::timestamp with time zone)`, someDeleted},
		{timestamp, `((deleted_at IS NULL) AND ((data ->> 'a) OR (b'::text) = 'x'::text))`, someLive},
		{timestamp, `(COALESCE(deleted_at, now()) > now())`, unread},
		{timestamp, `f(deleted_at)`, unread},
		{timestamp, `(record_deleted_at IS NULL)`, softdelete.Scope{}},
		{timestamp, `(note = 'deleted_at IS NULL'::text)`, softdelete.Scope{}},
		{timestamp, `deleted_at(id)`, softdelete.Scope{}},
		// A backslash is an ordinary character, and a quote after it ends the string.
		{timestamp, `((path <> 'C:\'::text) AND (deleted_at IS NULL))`, someLive},
		{timestamp, `(((path || '\'::text) = '\'::text) OR (deleted_at IS NULL))`,
			softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.Some}},
		{timestamp, `((path <> 'it''s \'''::text) AND (deleted_at IS NULL))`, someLive},
		{timestamp, `((bits = B'1'::"bit") AND (deleted_at IS NULL))`, someLive},
		{timestamp, `((path <> E'\'deleted_at IS NOT NULL'::text) AND (deleted_at IS NULL))`, someLive},
		{timestamp, `(note = 'C:\'::text)`, softdelete.Scope{}},
		// Text that PostgreSQL would not write is not understood.
		{timestamp, `(deleted_at IS NULL) AND (path <> 'C:`, unread},
		{timestamp, `(deleted_at IS NULL) AND (path <> "C:`, unread},
		{timestamp, `((deleted_at IS NULL)`, unread},
		{timestamp, `(deleted_at IS NULL))`, unread},
		{timestamp, `(deleted_at IS NULL]`, unread},
		{timestamp, `(deleted_at IS NULL) -- OR true`, unread},
		{timestamp, `(U&"\0061" IS NULL) AND (deleted_at IS NULL)`, unread},
		{timestamp, `(path <> 'C:`, softdelete.Scope{}},
		{timestamp, strings.Repeat(`(`, 99) + `deleted_at IS NULL` + strings.Repeat(`)`, 99), live},
		{timestamp, strings.Repeat(`(NOT `, 5000) + `(deleted_at IS NULL)` + strings.Repeat(`)`, 5000), unread},
		// it would take seconds
		{camel, `("deletedAt" IS NULL)`, live},
		{camel, `(deletedat IS NULL)`, softdelete.Scope{}},
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
		{flag, `(b IS NOT FALSE)`, softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.All}},
		// lets NULL in, which is live
		{flag, `(NOT (b IS FALSE))`, softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.All}},
		{flag, `(b IS NULL)`, softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.None}},
		{flag, `(b = other)`, unread},
		{pair, `(NOT b)`, live},
		{pair, `(deleted_at IS NULL)`, live},
		{pair, `(b AND (deleted_at IS NOT NULL))`, deleted},
		{two, `(NOT (deleted OR removed))`, live},
		{two, `((NOT deleted) AND (NOT removed))`, live},
		{two, `(NOT deleted)`, softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.Some}},
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
		{letter, `(l <> 'Q'::bpchar)`, softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.All}},
		{letter, `(l = '1'::bpchar)`, deleted},
		{letter, `(l = 'Q'::bpchar)`, someLive},
		{letter, `((note <> '2'::text) OR (l <> 'Y'::bpchar))`,
			softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.Some}}, // l may be '2'
		{many, `(l1 = 'N'::text)`, unread}, // there are too many combinations of values
		{status, `((st)::text <> 'deleted'::text)`,
			softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.Some}},
		{status, `((st)::text <> ALL ((ARRAY['deleted'::character varying, 'trashed'::character varying])::text[]))`, live},
		{status, `((st)::text = ANY ((ARRAY['deleted'::character varying, 'trashed'::character varying])::text[]))`,
			deleted},
		{status, `(st <> ALL (ARRAY['deleted'::public.status, 'trashed'::public.status]))`, live},
		{status, `((st)::text = 'active'::text)`, someLive},
		{status, `((st)::text = ('deleted'::text || suffix))`, unread},
		{status, `(st = ANY (ARRAY['active'::text] || ARRAY['deleted'::text]))`, unread},
		{status, `(st = ANY ((ARRAY['active'::character varying])::public.words[]))`, unread},
		{status, `((st)::text = (('deleted'::character varying)::character varying(3))::text)`, unread},
		{status, `(st = ('deleted'::character varying(3))::text)`, unread},
		{status, `(st = ('deleted'::text COLLATE "de-x-icu"))`, unread},
		{status, `(COALESCE(COALESCE(st, 'deleted'::text), 'active'::text) = 'active'::text)`, someLive},
		{letter, `(l > '10'::text)`, unread}, // true for the text '2'
		{number, `(s = (0.4)::integer)`, unread},
		{epoch, `(e = 9007199254740993)`, someDeleted},
		{alive, `alive`, live},
		{alive, `(alive IS TRUE)`, live},
		{alive, `(NOT alive)`, deleted},
		{alive, `(alive IS NOT TRUE)`, deleted},
		{sentinel, `(d = '1970-01-01 00:00:00+00'::timestamp with time zone)`, live},
		{sentinel, `(d <> '1970-01-01 00:00:00+00'::timestamp with time zone)`, deleted},
		{sentinel, `(d = '1970-01-01 01:00:00+01'::timestamp with time zone)`, live}, // the same instant
		{sentinel, `(d = '1970-01-01 05:30:00+05:30'::timestamp with time zone)`, live},
		{sentinel, `(d = '1969-12-31 19:03:58-04:56:02'::timestamp with time zone)`, live},
		{sentinel, `(d <> '1970-01-01 01:00:00+01'::timestamp with time zone)`, deleted},
		{sentinel, `(d = '1970-01-01 00:00:00+01'::timestamp with time zone)`, someDeleted},
		{sentinel, `(d = 'infinity'::timestamp with time zone)`, someDeleted},
		{sentinel, `(d = '1970-01-01 00:00:00.5+00'::timestamp with time zone)`, unread}, // a column may round it
		{sentinel, `(d = '0001-01-01 00:00:00+00 BC'::timestamp with time zone)`, unread},
		{said, `(d = '1970-01-01 00:00:00+00'::timestamp with time zone)`, live},
		{said, `(d <> '1970-01-01 00:00:00+00'::timestamp with time zone)`, deleted},
		{said, `(d = '1970-01-01 00:00:00'::timestamp without time zone)`, live},
		{said, `(d = '1970-01-01'::date)`, live},
		{said, `(d = '1970-01-02'::date)`, someDeleted},
		{said, `(d = '1970-01-01 00:00:00'::text)`, unread},                         // another text
		{zoned, `(d = '1970-01-01 00:00:00'::timestamp without time zone)`, unread}, // whose type ignores zones
		{midday, `(d = '1970-01-01'::date)`, unread},                                // which may be a date's
		{forever, `(d = '1970-01-01 00:00:00+00'::timestamp with time zone)`, someDeleted},
		{forever, `(d = 'infinity'::timestamp with time zone)`, live},
		{beside, `(d = 'infinity'::timestamp with time zone)`, someLive},
		{beside, `(d IS NULL)`, someLive},
		{beside, `((d IS NULL) OR (d = 'infinity'::timestamp with time zone))`, live},
		{beside, `(d IS NOT NULL)`, softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.All}},
	} {
		if got := ScopeOf(test.markers, test.predicate); got != test.want {
			t.Errorf("%s on %s: %+v, want %+v", test.predicate, test.markers.Label(), got, test.want)
		}
	}
}

func TestEveryPairHasLiveAndDeletedRows(t *testing.T) {
	for name, time := range map[string]softdelete.Time{
		"a time that may be NULL": {Type: softdelete.Timestamptz},
		"one that may not":        {Type: softdelete.Timestamptz, NotNull: true},
		"one that has a constant": {Type: softdelete.Timestamptz, NotNull: true, Live: []string{"infinity"}},
		"an integer that may not": {Type: softdelete.EpochTime, Unit: softdelete.Seconds, NotNull: true},
	} {
		time.Column = "gone_at"
		markers := softdelete.Markers{{Kind: softdelete.Pair, Flag: softdelete.Flag, Column: "gone", Time: &time}}
		for _, deleted := range []bool{false, true} {
			if !slices.ContainsFunc(markerStates(markers[0], nil),
				func(s state) bool { return s.deleted == deleted && !s.odd }) {
				t.Errorf("%s: no row can be deleted=%t", name, deleted)
			}
		}
	}
}
