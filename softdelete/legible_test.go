package softdelete

import "testing"

func TestWhatIsNoUTF8IsEscaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "users": "users", "größe 表 \ufffd": "größe 表 \ufffd", `back\slash`: `back\slash`,
		"caf\xe9": `caf\xe9`, "\xff\xfe": `\xff\xfe`, "gr\xc3\xb6\xdfe": `grö\xdfe`, "\xe8\xa1": `\xe8\xa1`,
	} {
		if got := Legible(text); got != want {
			t.Errorf("Legible(%q) = %q, want %q", text, got, want)
		}
	}
}
