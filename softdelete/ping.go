package softdelete

import "time"

// Ping is one answer, or none, of the server.
type Ping struct {
	// At is when the ping was sent.
	At time.Time
	// Up tells whether the server answered in time.
	Up bool
	// Duration is the time from sending to the answer, connecting not included; 0
	// when the server is not up.
	Duration time.Duration
	// Err says why it is not up, free of secrets; empty when it is.
	Err string
}

// Milliseconds is the response time.
func (p Ping) Milliseconds() float64 { return float64(p.Duration) / float64(time.Millisecond) }
