package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// hostile is a name whose characters would affect a terminal, the text next to it, or a log.
const hostile = "a\x1b[2J\u009b31m\u202eb\u2066c\u2028d\r\ne\x7f\U000e0041\u200b"

func TestNoNameIsObeyed(t *testing.T) {
	s := &softdelete.Snapshot{Taken: noon, Databases: []softdelete.Database{
		{Name: hostile, Checks: checks, Tables: []softdelete.Table{
			failed(table(hostile, hostile, 10, 9, 9), softdelete.OtherError, hostile, hostile),
			func() softdelete.Table {
				t := table("z"+hostile, hostile, 100000, 90000, 90000)
				t.Markers = stamp(hostile)
				return t
			}(),
		}},
		{Name: "lost", Problem: &softdelete.Problem{Reason: softdelete.OtherError, Message: hostile}},
	}}
	down := []softdelete.Ping{{At: noon, Err: hostile}}
	r := Report{Assessment: assess.Assess(down, s, limits(), assess.AlertConditions{}, noon), Version: "1.0.0"}
	for format, text := range map[string]string{"text": asText(t, r, false), "html": asHTML(t, r, false),
		"json": string(asJSON(t, r))} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: it holds %q", format, text[max(0, i-30):i+10])
		}
		if !strings.Contains(text, "[2J") {
			t.Errorf("%s: the name is missing", format)
		}
	}
	var document struct{ Tables []struct{ Table string } }
	if err := json.Unmarshal(asJSON(t, r), &document); err != nil {
		t.Fatal(err)
	}
	if document.Tables[0].Table != hostile && document.Tables[1].Table != hostile {
		t.Errorf("JSON is to hold the name as it is: %q", document.Tables)
	}
}
