package report

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// sparkline draws the last response times in a box of sparkWidth by sparkHeight.
type sparkline struct {
	// Lines are runs of answers without a gap, as points.
	Lines []string
	// Dots are single answers between gaps; Lost are pings without an answer.
	Dots, Lost []sparkPoint
}

type sparkPoint struct{ X, Y string }

const (
	sparkWidth, sparkHeight = 240.0, 40.0
	// sparkRoom is kept free above and below the line, because the line has a width.
	sparkRoom = 3.0
)

func spark(pings []softdelete.Ping) sparkline {
	slowest := 1.0 // ms: faster answers look flat
	for _, p := range pings {
		slowest = max(slowest, p.Milliseconds())
	}
	var s sparkline
	var run []sparkPoint
	end := func() {
		switch {
		case len(run) == 1:
			s.Dots = append(s.Dots, run[0])
		case len(run) > 1:
			points := make([]string, len(run))
			for i, p := range run {
				points[i] = p.X + "," + p.Y
			}
			s.Lines = append(s.Lines, strings.Join(points, " "))
		}
		run = nil
	}
	for i, p := range pings {
		x := sparkRoom + (sparkWidth-2*sparkRoom)*float64(i)/float64(max(1, len(pings)-1))
		y := sparkHeight - sparkRoom - (sparkHeight-2*sparkRoom)*p.Milliseconds()/slowest
		point := sparkPoint{fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", y)}
		if p.Up {
			run = append(run, point)
			continue
		}
		end()
		s.Lost = append(s.Lost, point)
	}
	end()
	return s
}
