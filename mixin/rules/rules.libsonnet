// The recording rules: one file per subject, one group per file.
{
  local rules = self,

  prometheusRules+:: {
    groups+: [
      { name: 'softdelete-health', rules: (import 'health.libsonnet')(rules._config) },
    ],
  },
}
