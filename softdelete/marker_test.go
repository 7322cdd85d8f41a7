package softdelete

import (
	"fmt"
	"testing"
)

func TestLabelsStayShort(t *testing.T) {
	var ms Markers
	for i := range 9 {
		ms = append(ms, Marker{Kind: Flag, Column: fmt.Sprintf("deleted%d", i)})
	}
	ms = append(ms, Marker{Kind: Pair, Column: "gone", Time: &Time{Column: "deleted0", Type: Timestamptz}})
	if got := ms.Label(); got != "deleted0,deleted1,deleted2,deleted3,and 6 more" {
		t.Errorf("marker=%q", got)
	}
	if got := ms.KindLabel(); got != "flag,pair" {
		t.Errorf("kind=%q", got)
	}
}
