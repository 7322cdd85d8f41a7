package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// tick is the unit of the times in /proc.
const tick = 10 * time.Millisecond

// cpuTime returns the processor time of a process, and that of those of its children that have ended, from its
// /proc/PID/stat; both are zero if it has ended itself.
func cpuTime(stat string) (own, children time.Duration, parent string) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, 0, ""
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name of the program may contain blanks
	fields := strings.Fields(rest)
	ticks := func(at int) time.Duration {
		n, _ := strconv.ParseInt(fields[at], 10, 64)
		return time.Duration(n) * tick
	}
	return ticks(11) + ticks(12), ticks(13) + ticks(14), fields[1]
}

// serverTime returns the processor time of a server with all its processes so far.
func serverTime(b *testing.B, dsn string) time.Duration {
	b.Helper()
	postmaster, _, _ := strings.Cut(pgtest.Value[string](b, dsn, "SELECT pg_read_file('postmaster.pid')"), "\n")
	own, ended, _ := cpuTime(filepath.Join("/proc", postmaster, "stat"))
	sum := own + ended
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, stat := range all {
		if own, _, parent := cpuTime(stat); parent == postmaster {
			sum += own
		}
	}
	return sum
}

// ourTime returns the processor time of this process so far.
func ourTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// cost is what a refresh took.
type cost struct{ took, ours, server time.Duration }

// measured returns the cost of what f does.
func measured(b *testing.B, dsn string, f func()) cost {
	b.Helper()
	server, ours, began := serverTime(b, dsn), ourTime(b), time.Now()
	f()
	took, spent := time.Since(began), ourTime(b)-ours
	return cost{took, spent, serverTime(b, dsn) - server}
}

// cells are the cost as cells of a table.
func (c cost) cells() []string { return []string{ms(c.took), ms(c.ours), ms(c.server)} }
