// _config as the rules read it. Wrong settings are rejected, all of them at once, each with a message that says what
// to write. Durations become seconds.
local defaults = (import '../config.libsonnet')._config;

local units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

// seconds reads a duration: a number of seconds, or Prometheus's notation, such as 1h30m. null means no duration.
local seconds(duration) =
  local step(read, char) =
    if read == null then null
    else if std.member('0123456789', char) then read { digits+: char }
    else if std.objectHas(units, char) && read.digits != '' then
      { digits: '', total: read.total + std.parseInt(read.digits) * units[char] }
    else null;
  if std.isNumber(duration) then if duration >= 0 then duration else null
  else if !std.isString(duration) || duration == '' then null
  else if duration == '0' then 0
  else
    local read = std.foldl(step, std.stringChars(duration), { digits: '', total: 0 });
    if read == null || read.digits != '' then null else read.total;

local quoted(names) = std.join(', ', names);
local isList(value) = std.isArray(value) && std.all([std.isString(v) && v != '' for v in value]);

// unknown returns the keys of object that the model does not have.
local unknown(where, object, model, more=[]) =
  local known = std.objectFields(model) + more;
  [
    '%s: "%s" is not known; known are %s' % [where, key, quoted(known)]
    for key in std.objectFields(object)
    if !std.member(known, key)
  ];

local durations(where, object) = [
  '%s.%s: write a duration, as 300 (seconds) or "5m", not %s' % [where, key, std.manifestJsonMinified(object[key])]
  for key in std.objectFields(object)
  if seconds(object[key]) == null
];

local alertFaults(name, alert) =
  local where = 'alerts.' + name;
  local model = defaults.alerts[name];
  if !std.isObject(alert) then ['%s: write { enabled, severity, for }' % where]
  else
    unknown(where, alert, model) + [
      '%s: "%s" is missing; write %s+: { … } to keep what is not said' % [where, key, name]
      for key in std.objectFields(model)
      if !std.objectHas(alert, key)
    ] + (
      if std.isBoolean(std.get(alert, 'enabled', true)) then [] else ['%s.enabled: write true or false' % where]
    ) + (
      if std.isString(std.get(alert, 'severity', '')) then [] else ['%s.severity: write a text, as "warning"' % where]
    ) + (
      if std.objectHas(alert, 'for') then durations(where, { 'for': alert['for'] }) else []
    );

local kinds = {
  selector: [std.isString, 'a text, as \'job="softdelete"\', or \'\' where this Prometheus has nothing else'],
  clusterLabels: [isList, "a list of labels, as ['cluster']"],
  serverLabels: [function(v) isList(v) && v != [], "a list of labels, as ['job', 'instance']"],
  thresholdOverrides: [std.isObject, 'an object of the shape of thresholds.json'],
  times: [std.isObject, 'an object'],
  alerts: [std.isObject, 'an object'],
  alertLabels: [std.isObject, "an object, as { team: 'data' }"],
  runbookURL: [std.isString, 'a text'],
  reportURL: [std.isString, "a text, or '' for no link"],
  dashboards: [std.isObject, 'an object'],
};

local faultsOf(config) =
  // kubernetes-mixin's name for clusterLabels.
  local shape = unknown('_config', config, defaults, ['clusterLabel']) + [
    '_config.%s: write %s' % [key, kinds[key][1]]
    for key in std.objectFields(kinds)
    if !kinds[key][0](config[key])
  ] + (
    if std.isString(std.get(config, 'clusterLabel', '')) then []
    else ["_config.clusterLabel: write one label, as 'cluster', or a list into clusterLabels"]
  );
  shape + if shape != [] then [] else
    unknown('_config.alerts', config.alerts, defaults.alerts)
    + std.flatMap(
      function(name) if std.objectHas(defaults.alerts, name) then alertFaults(name, config.alerts[name]) else [],
      std.objectFields(config.alerts)
    )
    + unknown('_config.times', config.times, defaults.times)
    + durations('_config.times', config.times)
    + unknown('_config.dashboards', config.dashboards, defaults.dashboards);

function(config)
  local faults = faultsOf(config);
  assert faults == [] : '\n' + std.join('\n', faults);
  local thresholds = config.thresholds;
  config {
    thresholds: thresholds,
    clusterLabels: if std.objectHas(config, 'clusterLabel') then [config.clusterLabel] else config.clusterLabels,
    times: std.mapWithKey(function(_, time) seconds(time), config.times),
    alerts: std.mapWithKey(function(_, alert) alert { 'for': seconds(alert['for']) }, config.alerts),
  }
