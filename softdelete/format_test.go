package softdelete

import "testing"

func TestFoldKeepsLettersAndDigits(t *testing.T) {
	for name, want := range map[string]string{"deletedAt": "deletedat", "DELETED_AT": "deletedat", "__deleted": "deleted",
		"Gelöscht am 2": "gelöschtam2"} {
		if got := Fold(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567",
		-1234: "-1,234", 0.4: "0", -0.4: "0", 999999.6: "1,000,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%g) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0.0%", 0.0001: "<0.1%", 0.251: "25.1%", 0.99999: ">99.9%", 1: "100.0%"} {
		if got := Percent(n); got != want {
			t.Errorf("Percent(%g) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 rows", 1: "1 row", 2: "2 rows", 1000: "1,000 rows", -1: "-1 rows"} {
		if got := Plural(n, "row"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNamesThatYAMLTakesForSomethingElseAreQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"users": "users", "isDeleted": "isDeleted", "_id": "_id", "Off": `"Off"`, "null": `"null"`, "": `""`,
		"7": `"7"`, "12_3": `"12_3"`, "0x1F": `"0x1F"`, "1e5": `"1e5"`, "a: b": `"a: b"`, "a-b": `"a-b"`,
	} {
		if got := QuoteYAML(name); got != want {
			t.Errorf("QuoteYAML(%q) = %s, want %s", name, got, want)
		}
	}
}
