// Causes, and the effects of which nobody need be told beside them: of the same server,
// database or table. Each is a pair of one cause: "any warning silences any information"
// would let one that is silenced hide all of its table.
local pair(cause, effects, of) = {
  cause: 'SoftDelete' + cause,
  effects: ['SoftDelete' + effect for effect in effects],
  of: of,
};

[
  // While a database is down, and until it has been looked into again.
  pair('DatabaseDown', ['PingsFailing', 'DatabaseSlow', 'CheckFailing', 'NumbersStale', 'TablesWaiting'], 'server'),
  pair('ExporterDown', ['ScrapesFailing', 'PingsFailing'], 'server'),
  // Nobody counts what nobody can reach.
  pair('CheckFailing', ['NumbersStale', 'TablesWaiting'], 'database'),
  pair('RatioHigh', ['RatioElevated'], 'table'),
  pair('PurgeOverdue', ['OldRowsElevated'], 'table'),
]
