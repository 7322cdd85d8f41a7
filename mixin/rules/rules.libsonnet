// The recording rules: one file per subject, one group per file.
local settings = import '../lib/settings.libsonnet';

{
  local rules = self,

  prometheusRules+:: {
    local config = settings(rules._config),
    groups+: [
      { name: 'softdelete-conditions', rules: (import 'conditions.libsonnet')(config) },
      { name: 'softdelete-health', rules: (import 'health.libsonnet')(config) },
      { name: 'softdelete-sums', rules: (import 'sums.libsonnet')(config) },
    ],
  },
}
