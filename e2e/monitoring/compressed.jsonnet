// The mixin as it is, with its times compressed, so that nobody waits for days:
// what the rules compare, and how, is left alone. Scrapes are a second apart here.
local mixin = (import '../../mixin/mixin.libsonnet') {
  _config+:: {
    thresholdOverrides: {
      purge_period_seconds: 3,
      purge_grace_seconds: 1,
      // Its own limit is asked beside the age of its rows.
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
    // Longer than `bridge` and `responseMedian`, as they really are: what lasts for
    // one scrape only is no alert.
    alerts: std.mapWithKey(function(_, alert) alert { 'for': if super['for'] == 0 then 0 else 6 }, super.alerts) {
      // Longer than any of the outages, and what comes of them.
      SoftDeleteNumbersStale+: { 'for': 60 },
      // Longer than a server takes to be looked into again.
      SoftDeleteCheckFailing+: { 'for': 15 },
    },
  },
};
{
  'alerts.yaml': std.manifestYamlDoc(mixin.prometheusAlerts),
  'rules.yaml': std.manifestYamlDoc(mixin.prometheusRules),
}
