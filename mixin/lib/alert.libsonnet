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

    // ofTable makes an alert on tables. Its label service is the service of the table. The other labels that a rule
    // needs to find its series are removed, because nobody routes by them. An empty label counts as missing.
    ofTable(name, expr, limit, summary, description)::
      self.alert(name, expr, limit, summary, description) {
        labels: { service: '{{ $labels.table_service }}', table_service: '', condition: '' } + super.labels,
      },

    // A description names a server by the last of serverLabels. That may be the address of the exporter or, for
    // probes, of the server. It also names the cluster, which is usually a label of Prometheus itself.
    cluster: std.join('', [
      '{{ with or $labels.%s $externalLabels.%s }} in %s {{ . }}{{ end }}' % [label, label, label]
      for label in config.clusterLabels
    ]),
    server: '{{ $labels.%s }}' % config.serverLabels[std.length(config.serverLabels) - 1] + self.cluster,
    database: 'database {{ $labels.datname }} behind ' + self.server,
    table: '{{ $labels.schemaname }}.{{ $labels.relname }} in ' + self.database,
  },

  percent(fraction):: '%.10g%%' % (fraction * 100),
  rows: promql.number,
}
