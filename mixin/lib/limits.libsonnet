// The health limits: merges overrides into them, rejects values that make no sense, and looks up the limit of
// one table.

// A table's entry may replace these limits, whole or in part. The other limits are the same for all tables.
local perTable = ['deletion_ratio', 'old_deleted_rows', 'bulk_rows', 'alert_min_rows'];

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

local ratioFaults(where, limits) = [
  '%s.deletion_ratio.%s: a fraction from 0 to 1 is needed, not a percentage' % [where, key]
  for key in std.objectFields(std.get(limits, 'deletion_ratio', {}))
  if limits.deletion_ratio[key] > 1
];

local tableFaults(where, entry, defaults) =
  local model = pick(defaults, perTable) { database: '', schema: '', table: '' };
  local own = drop(entry, ['database', 'schema', 'table']);
  ['%s: "%s" is needed' % [where, key] for key in ['schema', 'table'] if !std.objectHas(entry, key)] +
  local shape = faults(where, entry, model);
  shape +
  if shape != [] then [] else
    orderFaults(where, std.mergePatch(pick(defaults, perTable), own)) + ratioFaults(where, own);

{
  // merged returns the defaults with the overrides applied (RFC 7396, as the exporter does), or fails with all
  // errors at once.
  merged(defaults, overrides)::
    assert std.isArray(std.get(overrides, 'tables', [])) : 'thresholds.tables: a list is needed';
    local shape = faults('thresholds', drop(overrides, ['tables']), drop(defaults, ['tables']));
    local result = std.mergePatch(defaults, overrides);
    local found =
      shape +
      (if shape != [] then [] else orderFaults('thresholds', result) + ratioFaults('thresholds', result)) +
      std.flattenArrays([
        tableFaults('thresholds.tables[%d]' % i, result.tables[i], if shape == [] then result else defaults)
        for i in std.range(0, std.length(result.tables) - 1)
      ]);
    assert found == [] : '\n' + std.join('\n', found);
    result,

  // entries returns the tables that have their own value of the limit at path. The last entry in the list wins,
  // so it comes first.
  entries(thresholds, path)::
    std.reverse([t for t in thresholds.tables if at(t, path) != null]),

  at:: at,
}
