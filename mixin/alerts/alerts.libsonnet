// The alerts: one file per subject, one group per file.
local pairs = import '../lib/pairs.libsonnet';
local settings = import '../lib/settings.libsonnet';

// Prometheus evaluates the rules of a group in order and notifies Alertmanager after each. If a warning and the alert
// that it silences end at the same time, the silenced one must end first. Otherwise there would be a notification
// about it in between.
local causes = [pair.cause for pair in pairs];
local order = { info: 0, warning: 2, critical: 4 };
local group(name, rules) = {
  name: 'softdelete-' + name,
  rules: std.sort(
    [r for r in rules if r.enabled],
    function(r) std.get(order, r.labels.severity, 2) + (if std.member(causes, r.alert) then 1 else 0)
  ),
};

{
  local alerts = self,

  prometheusAlerts+:: {
    local config = settings(alerts._config),
    groups+: [
      g
      for g in [
        group('database', (import 'database.libsonnet')(config)),
        group('rows', (import 'rows.libsonnet')(config)),
        group('numbers', (import 'numbers.libsonnet')(config)),
        group('indexes', (import 'indexes.libsonnet')(config)),
        group('exporter', (import 'exporter.libsonnet')(config)),
      ]
      if g.rules != []
    ],
  },
}
