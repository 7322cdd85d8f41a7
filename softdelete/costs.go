package softdelete

import (
	"maps"
	"sync"
	"time"
)

// Costs are the live counters of the exporter's queries to one server. Unlike a Snapshot they change while they
// are read. The zero value is ready to use.
type Costs struct {
	mu sync.Mutex
	by map[CostKey]Cost
}

// CostKey is the database of the queries, and whether they succeeded.
type CostKey struct {
	Datname string
	Result  Result
}

// Result says how a query ended.
type Result string

// The results of a query.
const (
	Success Result = "success"
	Failure Result = "error"
)

// Cost is the total cost of the queries under one key.
type Cost struct {
	Queries int64
	// Database is the time from sending a query to its last row.
	Database time.Duration
}

// Add records one query.
func (c *Costs) Add(datname string, took time.Duration, err error) {
	key := CostKey{datname, Success}
	if err != nil {
		key.Result = Failure
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[CostKey]Cost{}
	}
	cost := c.by[key]
	cost.Queries++
	cost.Database += took
	c.by[key] = cost
}

// Forget drops the counters of a database that is no longer watched.
func (c *Costs) Forget(datname string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.by, func(key CostKey, _ Cost) bool { return key.Datname == datname })
}

// All returns the current counters.
func (c *Costs) All() map[CostKey]Cost {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}
