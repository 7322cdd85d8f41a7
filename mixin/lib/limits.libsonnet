// The health limits. This file merges overrides into them, rejects values that make no sense, and finds the limits of
// single tables.

// An entry for a table may replace these limits, completely or in part. The other limits are not about tables.
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

// Limits that are a share of something, and so at most 1.
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

// patterns identify tables. Each pattern must match the whole name. A missing pattern matches every name.
local patterns = ['databases', 'schemas', 'tables'];
local byPattern(entry) = std.setInter(std.objectFields(entry), patterns) != [];

local tableFaults(where, entry, defaults) =
  local names = ['database', 'schema', 'table'];
  local model = pick(defaults, perTable) { [key]: '' for key in names + patterns };
  local own = drop(entry, names + patterns);
  (
    if byPattern(entry) then [
      '%s: "%s" cannot be used together with patterns; write a pattern' % [where, key]
      for key in names
      if std.objectHas(entry, key)
    ] else ['%s: "%s" is needed' % [where, key] for key in ['schema', 'table'] if !std.objectHas(entry, key)]
  ) +
  local shape = faults(where, entry, model);
  shape +
  if shape != [] then [] else
    orderFaults(where, std.mergePatch(pick(defaults, perTable), own)) + fractionFaults(where, own);

// about reports whether an entry is about a table. An entry without a database is about the tables of that name in all
// databases.
local about(entry, table) =
  entry.schema == table.schema && entry.table == table.table
  && (!std.objectHas(entry, 'database') || entry.database == std.get(table, 'database'));

// ownOf returns the tables that have limits of their own, as { table, limits }. If several entries are about a table,
// the last one wins. Entries with a database come before those without one, and entries with a table's name before
// those with a pattern, so that the first entry that fits a table applies.
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

  // own returns the tables that have their own value, as { table, value }. The function value gets the limits of a
  // table, and returns null if there is no value among them.
  own(thresholds, value):: [
    { table: entry.table, value: found }
    for entry in thresholds.own
    for found in [value(entry.limits)]
    if found != null
  ],

  at:: at,
}
