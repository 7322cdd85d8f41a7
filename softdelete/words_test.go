package softdelete

import "testing"

func TestFoldKeepsLettersAndDigits(t *testing.T) {
	for name, want := range map[string]string{"deletedAt": "deletedat", "DELETED_AT": "deletedat", "__deleted": "deleted", "Gelöscht am 2": "gelöschtam2"} {
		if got := Fold(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
