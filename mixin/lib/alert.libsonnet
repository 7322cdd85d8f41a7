// One alert: its rule, from its settings in config, and its texts.
local promql = import 'promql.libsonnet';

{
  new(config):: {
    // alert makes the rule called name. limit describes the condition in a few words; it appears in the
    // README's list, not in the rule.
    alert(name, expr, limit, summary, description)::
      local settings = config.alerts[name];
      {
        enabled:: settings.enabled,
        limit:: limit,

        alert: name,
        expr: expr,
        [if settings['for'] > 0 then 'for']: promql.duration(settings['for']),
        keep_firing_for: promql.duration(config.times.keepFiring),
        labels: { severity: settings.severity } + config.alertLabels,
        annotations: {
          summary: summary,
          description: description,
          runbook_url: config.runbookURL + std.asciiLower(name),
        },
      },
  },

  // How a description names its table. The instance may be the exporter's address or, with probes, the
  // server's.
  table: '{{ $labels.schemaname }}.{{ $labels.relname }} in database {{ $labels.datname }} behind {{ $labels.instance }}',

  percent(fraction):: '%.10g%%' % (fraction * 100),
  rows: promql.number,
}
