package predicate

import "testing"

func TestOnlyAConjunctSaysThatATimeIsNull(t *testing.T) {
	for text, want := range map[string]bool{
		"(archived_at IS NULL)":                                    true,
		"((archived_at IS NULL) AND (parent_id IS NULL))":          true,
		"((parent_id IS NULL) AND (archived_at IS NULL) AND open)": true,
		"((archived_at IS NULL) OR (parent_id IS NULL))":           false,
		"(archived_at IS NOT NULL)":                                false,
		"(NOT (archived_at IS NULL))":                              false,
		"(parent_id IS NULL)":                                      false,
		"(record_archived_at IS NULL)":                             false,
		"((name)::text = 'archived_at IS NULL'::text)":             false,
		"": false,
	} {
		if got := OnlyNull("archived_at", text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestAWordIsLeftOutWhereThePredicateSaysSo(t *testing.T) {
	for text, want := range map[string]bool{
		"(status <> 'deleted'::text)":                                             true,
		"((status)::text <> 'deleted'::text)":                                     true,
		"((status)::text <> ALL ((ARRAY['deleted'::text, 'x'::text])::text[]))":   true,
		"((parent_id IS NULL) AND (status <> 'deleted'::state))":                  true,
		"(status = 'open'::text)":                                                 false,
		"(status = 'deleted'::text)":                                              false,
		"(status <> 'closed'::text)":                                              false,
		"((status <> 'deleted'::text) OR (parent_id IS NULL))":                    false,
		"((status)::text = ANY ((ARRAY['open'::text, 'deleted'::text])::text[]))": false,
		"((other)::text <> 'deleted'::text)":                                      false,
	} {
		if got := LeavesOut("status", "deleted", text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
