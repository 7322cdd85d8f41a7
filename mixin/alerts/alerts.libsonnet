// The alerts, one file a subject, one group a file.

// Prometheus evaluates a group in its order, and tells Alertmanager as it goes. When
// a warning and the information that it silences end at once, the information has to
// end first: else it is told in the moment between.
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
