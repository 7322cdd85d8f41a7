// The mixin with shorter times, so that the tests take less than days. The comparisons of the rules are unchanged.
// Here scrapes are a second apart.
local mixin = (import '../../mixin/mixin.libsonnet') {
  _config+:: {
    thresholdOverrides: {
      purge_period_seconds: 3,
      purge_grace_seconds: 1,
      // This table has its own limit in addition to the age of its rows.
      tables: [{ schema: 'public', table: 'messages', old_deleted_rows: { fair: 1000, poor: 100000 } }],
    },
    times+: {
      bridge: 5,
      keepFiring: 3,
      down: 6,
      downSlow: 15,
      failing: 16,
      recentWindow: 20,
      responseMedian: 4,
      bulkUsual: 600,
      bulkNow: 60,
    },
    // Longer than `bridge` and `responseMedian`, as in reality: a fault that lasts for one scrape is not an alert.
    alerts: std.mapWithKey(function(_, alert) alert { 'for': if super['for'] == 0 then 0 else 6 }, super.alerts) {
      // Longer than any of the outages and their effects.
      SoftDeleteNumbersStale+: { 'for': 60 },
      // Longer than it takes to read a server again.
      SoftDeleteCheckFailing+: { 'for': 15 },
    },
  },
};
{
  'alerts.yaml': std.manifestYamlDoc(mixin.prometheusAlerts),
  'rules.yaml': std.manifestYamlDoc(mixin.prometheusRules),
}
