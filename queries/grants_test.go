package queries

import "testing"

// psql takes a name with = in it for a connection string.
func TestConnectIsToADatabaseOfThatNameAndNothingElse(t *testing.T) {
	for name, want := range map[string]string{
		"shop":          `\connect -reuse-previous=on "dbname='shop'"`,
		"host=evil":     `\connect -reuse-previous=on "dbname='host=evil'"`,
		"it's":          `\connect -reuse-previous=on "dbname='it\'s'"`,
		`back\slash`:    `\connect -reuse-previous=on "dbname='back\\slash'"`,
		`a "name"`:      `\connect -reuse-previous=on "dbname='a ""name""'"`,
		"x' host='evil": `\connect -reuse-previous=on "dbname='x\' host=\'evil'"`,
	} {
		if got, err := Connect(name); got != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"a\nb", "a\rb", "a\x1b[2J", "a\u202eb"} {
		if got, err := Connect(name); err == nil {
			t.Errorf("%q: %q, which psql does not read so", name, got)
		}
	}
}
