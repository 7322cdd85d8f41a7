// The mixin as it is, with its times compressed, so that nobody waits for days:
// what the rules compare, and how, is left alone. Scrapes are a second apart here.
local mixin = (import '../../mixin/mixin.libsonnet') {
  _config+:: {
    times+: {
      bridge: 5,
      keepFiring: 3,
      purgePeriod: 3,
      purgeGrace: 1,
      recentWindow: 20,
      responseAverage: 4,
    },
    // Longer than `bridge` and `responseAverage`, as they really are: what lasts for
    // one scrape only is no alert.
    alerts: std.mapWithKey(function(_, alert) alert { 'for': if super['for'] == 0 then 0 else 6 }, super.alerts) {
      // Longer than any of the outages, and what comes of them.
      SoftDeleteNumbersStale+: { 'for': 60 },
      SoftDeleteCheckFailing+: { 'for': 60 },
    },
  },
};
{
  'alerts.yaml': std.manifestYamlDoc(mixin.prometheusAlerts),
  'rules.yaml': std.manifestYamlDoc(mixin.prometheusRules),
}
