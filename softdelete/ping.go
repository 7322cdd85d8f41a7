package softdelete

import "time"

// Ping is the result of one ping.
type Ping struct {
	// At is when the ping was sent.
	At time.Time
	// Up is true if the server answered in time.
	Up bool
	// Duration is the time from sending to the answer, without connecting; 0 if the server is not up.
	Duration time.Duration
	// Err says why the server is not up, without secrets; empty if it is up.
	Err string
}

// Milliseconds returns the response time.
func (p Ping) Milliseconds() float64 { return float64(p.Duration) / float64(time.Millisecond) }
