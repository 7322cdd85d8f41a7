// The recording rules, one file a subject, one group a file.
{
  local rules = self,

  prometheusRules+:: {
    groups+: [
      { name: 'softdelete-health', rules: (import 'health.libsonnet')(rules._config) },
    ],
  },
}
