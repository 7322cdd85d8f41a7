// The health limits: merges overrides into them, rejects values that make no sense, and looks up what single
// tables have of their own.

// A table's entry may replace these, whole or in part; the rest is not about tables.
local perTable = [
  'deletion_ratio',
  'old_deleted_rows',
  'purge_period_seconds',
  'purge_grace_seconds',
  'bulk_rows',
  'bulk_share',
  'bulk_times_usual',
  'alert_min_rows',
  'stale_after_ttls',
];

// What is a part of something, and so at most 1.
local fractions = [['deletion_ratio', 'fair'], ['deletion_ratio', 'poor'], ['bulk_share'], ['failed_share'], ['release_share']];

local at(object, path) = std.foldl(function(o, key) if o == null then null else std.get(o, key), path, object);

local pick(object, keys) = { [k]: object[k] for k in std.objectFields(object) if std.member(keys, k) };
local drop(object, keys) = { [k]: object[k] for k in std.objectFields(object) if !std.member(keys, k) };

// faults lists the errors in document, compared with a model of its shape.
local faults(where, document, model) =
  if std.type(document) != std.type(model) then
    ['%s: a %s is needed, not a %s' % [where, std.type(model), std.type(document)]]
  else if std.isObject(document) then
    std.flatMap(
      function(key)
        if std.objectHas(model, key) then faults(where + '.' + key, document[key], model[key])
        else ['%s: unknown limit "%s", the known ones are %s' % [where, key, std.join(', ', std.objectFields(model))]],
      std.objectFields(document)
    )
  else if std.isNumber(document) && document < 0 then ['%s: a limit cannot be negative' % where]
  else [];

local orderFaults(where, limits) = [
  '%s.%s: fair must not be above poor' % [where, key]
  for key in ['deletion_ratio', 'old_deleted_rows']
  if std.objectHas(limits, key) && limits[key].fair > limits[key].poor
];

local fractionFaults(where, limits) = [
  '%s.%s: a fraction from 0 to 1 is needed, not a percentage' % [where, std.join('.', path)]
  for path in fractions
  for value in [at(limits, path)]
  if value != null && value > 1
];

// patterns name tables by patterns, each for the whole of a name; one that is left out matches every name.
local patterns = ['databases', 'schemas', 'tables'];
local byPattern(entry) = std.setInter(std.objectFields(entry), patterns) != [];

local tableFaults(where, entry, defaults) =
  local names = ['database', 'schema', 'table'];
  local model = pick(defaults, perTable) { [key]: '' for key in names + patterns };
  local own = drop(entry, names + patterns);
  (
    if byPattern(entry) then [
      '%s: "%s" is a name, beside patterns; write a pattern' % [where, key]
      for key in names
      if std.objectHas(entry, key)
    ] else ['%s: "%s" is needed' % [where, key] for key in ['schema', 'table'] if !std.objectHas(entry, key)]
  ) +
  local shape = faults(where, entry, model);
  shape +
  if shape != [] then [] else
    orderFaults(where, std.mergePatch(pick(defaults, perTable), own)) + fractionFaults(where, own);

// about says whether an entry is about a table; one without a database is about the
// tables of that name in all of them.
local about(entry, table) =
  entry.schema == table.schema && entry.table == table.table
  && (!std.objectHas(entry, 'database') || entry.database == std.get(table, 'database'));

// ownOf returns each table and the limits that it has of its own, of several entries the
// last, as { table, limits }. Entries that name a database come first, so that the first
// that fits a table is its own; behind all that name their table come those by pattern.
local ownOf(entries) =
  local named = [entry for entry in entries if !byPattern(entry)];
  local tables(with) = [
    pick(entry, ['database', 'schema', 'table'])
    for entry in named
    if std.objectHas(entry, 'database') == with
  ];
  local once(list) = std.foldl(function(all, t) if std.member(all, t) then all else all + [t], list, []);
  [
    { table: table, limits: std.foldl(std.mergePatch, [entry for entry in named if about(entry, table)], {}) }
    for table in once(tables(true)) + once(tables(false))
  ] + [
    { table: pick(entry, patterns), limits: entry }
    for entry in entries
    if byPattern(entry)
  ];

{
  // merged returns the defaults with the overrides applied (RFC 7396, as the exporter does), or fails with all
  // errors at once.
  merged(defaults, overrides)::
    assert std.isArray(std.get(overrides, 'tables', [])) : 'thresholds.tables: a list is needed';
    local shape = faults('thresholds', drop(overrides, ['tables']), drop(defaults, ['tables']));
    local result = std.mergePatch(defaults, overrides);
    local found =
      shape +
      (if shape != [] then [] else orderFaults('thresholds', result) + fractionFaults('thresholds', result)) +
      std.flattenArrays([
        tableFaults('thresholds.tables[%d]' % i, result.tables[i], if shape == [] then result else defaults)
        for i in std.range(0, std.length(result.tables) - 1)
      ]);
    assert found == [] : '\n' + std.join('\n', found);
    result { own:: ownOf(result.tables) },

  // own returns the tables that have a value of their own, as { table, value }. value
  // is asked with the limits that a table has of its own, and answers null where it has
  // none.
  own(thresholds, value):: [
    { table: entry.table, value: found }
    for entry in thresholds.own
    for found in [value(entry.limits)]
    if found != null
  ],

  at:: at,
}
