// One alert: its rule from what config says of it, and its texts.
local promql = import 'promql.libsonnet';

{
  new(config):: {
    // alert makes the rule called name. limit says in a few words what the
    // expression asks; it stands in the README's list, not in the rule.
    alert(name, expr, limit, summary, description)::
      local settings = config.alerts[name];
      {
        enabled:: settings.enabled,
        limit:: limit,

        alert: name,
        expr: expr,
        [if settings['for'] > 0 then 'for']: promql.duration(settings['for']),
        keep_firing_for: promql.duration(config.times.keepFiring),
        // A target may carry a label `service` of its own, as under Kubernetes: that
        // of an alert says who answers for the table. An empty label is none.
        labels: {
          severity: settings.severity,
          service: '{{ $labels.table_service }}',
          table_service: '',
        } + config.alertLabels,
        annotations: {
          summary: summary,
          description: description,
          runbook_url: config.runbookURL + std.asciiLower(name),
        },
      },
  },

  // How a description names its table. The instance may be the exporter's address, or,
  // as with probes, the server's.
  table: '{{ $labels.schemaname }}.{{ $labels.relname }} in database {{ $labels.datname }} behind {{ $labels.instance }}',

  percent(fraction):: '%.10g%%' % (fraction * 100),
  rows: promql.number,
}
