// Causes, and the effects that need no separate notification, for the same server, database or table. Each pair has
// one cause: a rule like "any warning silences any info alert" would let a silenced warning hide everything about its
// table.
local pair(cause, effects, of) = {
  cause: 'SoftDelete' + cause,
  effects: ['SoftDelete' + effect for effect in effects],
  of: of,
};

[
  // While a database is down, and until the exporter has read it again.
  pair('DatabaseDown', ['PingsFailing', 'DatabaseSlow', 'CheckFailing', 'NumbersStale', 'TablesWaiting'], 'server'),
  pair('ExporterDown', ['ScrapesFailing', 'PingsFailing'], 'server'),
  // Tables that cannot be reached cannot be counted.
  pair('CheckFailing', ['NumbersStale', 'TablesWaiting'], 'database'),
  pair('RatioHigh', ['RatioElevated'], 'table'),
  pair('PurgeOverdue', ['OldRowsElevated'], 'table'),
]
