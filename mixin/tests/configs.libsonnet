// The configurations that the suites test, by name: their changes of _config, and the groups of rules that are tested,
// if not all.
local mixin = import '../mixin.libsonnet';

{
  default: {},
  everything: { patch: { alerts: std.mapWithKey(function(_, alert) { enabled: true }, mixin._config.alerts) } },
  purge: { patch: (import 'alerts/purge.libsonnet').config },
  tables: { patch: (import 'alerts/tables.libsonnet').config },
} + {
  [suite.config]: { patch: { thresholds: suite.thresholds }, groups: ['softdelete-health'] }
  for suite in import 'health.libsonnet'
  if suite.thresholds != {}
}
