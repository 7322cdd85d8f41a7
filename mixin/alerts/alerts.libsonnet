// The alerts: one file per subject, one group per file.

// Prometheus evaluates the rules of a group in order and notifies Alertmanager after each. A warning silences
// the info alert on the same table. If both end at once, the info alert has to end first: otherwise it would be
// sent in the moment between.
local group(name, rules) =
  local enabled = [r for r in rules if r.enabled];
  local info(r) = r.labels.severity == 'info';
  {
    name: 'softdelete-' + name,
    rules: [r for r in enabled if info(r)] + [r for r in enabled if !info(r)],
  };

{
  local alerts = self,

  prometheusAlerts+:: {
    groups+: [
      group('database', (import 'database.libsonnet')(alerts._config)),
      group('rows', (import 'rows.libsonnet')(alerts._config)),
      group('numbers', (import 'numbers.libsonnet')(alerts._config)),
      group('indexes', (import 'indexes.libsonnet')(alerts._config)),
      group('exporter', (import 'exporter.libsonnet')(alerts._config)),
    ],
  },
}
