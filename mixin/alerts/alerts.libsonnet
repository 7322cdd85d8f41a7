// The alerts, one file a subject, one group a file.
local group(name, rules) = {
  name: 'softdelete-' + name,
  rules: [r for r in rules if r.enabled],
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
