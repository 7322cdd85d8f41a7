// A small language for promtool's unit tests. Times are minutes from the start.

local labelled(metric, labels) =
  metric + '{' + std.join(',', [l + '=' + std.escapeStringJson(labels[l]) for l in std.objectFields(labels)]) + '}';

{
  local t = self,

  // One exporter, one database on it, one table there.
  target: { job: 'softdelete_exporter', instance: 'db1:10862' },
  shop: self.target { datname: 'shop' },
  orders: self.shop { schemaname: 'public', relname: 'orders' },

  // Formatting is slow, and most numbers are whole.
  number(n):: if n == std.floor(n) then '' + n else '%.10g' % n,

  // series has one sample a minute: values is a number, which stays, or the
  // notation of promtool.
  series(metric, values, labels=t.target, minutes=120):: {
    series: labelled(metric, labels),
    values: if std.isNumber(values) then t.number(values) + '+0x' + minutes else values,
  },

  // scraped is value as often as a scrape went well: layout is how many did, then
  // how many failed, and so on.
  scraped(value, layout):: std.join(' ', [
    if i % 2 == 0 then t.number(value) + '+0x' + (layout[i] - 1)
    else if layout[i] == 1 then 'stale'
    else 'stale _x' + (layout[i] - 1)
    for i in std.range(0, std.length(layout) - 1)
  ]),

  // table is a table's series: its info, and the facts by their names without
  // the prefix. A table of 100,000 rows, exactly counted, unless facts differ.
  table(facts={}, labels=t.orders, service='checkout', minutes=120)::
    local all = { total_rows: 100000, deletion_ratio: 0.1, deletion_ratio_margin: 0 } + facts;
    [t.info(labels, service, minutes)]
    + [t.series('softdelete_' + f, all[f], labels, minutes) for f in std.objectFields(all) if all[f] != null],

  info(labels=t.orders, service='checkout', minutes=120, values=1)::
    t.series('softdelete_table_info', values, labels { marker: 'deleted_at', kind: 'timestamp', table_service: service }, minutes),

  // firing is an alert that fires, with all its labels and texts.
  firing(alert, severity, summary, description, labels=t.orders { service: 'checkout' }):: {
    name:: alert,
    exp_labels: labels { severity: severity },
    exp_annotations: {
      summary: summary,
      description: description,
      runbook_url: 'https://github.com/softdelete-exporter/softdelete_exporter/blob/main/mixin/runbook.md#' + std.asciiLower(alert),
    },
  },

  // fires holds when just these fire, of the alert that they share.
  fires(minute, alerts):: {
    eval_time: minute + 'm',
    alertname: alerts[0].name,
    exp_alerts: alerts,
  },

  // quiet holds when the alert does not fire.
  quiet(minute, alert):: { eval_time: minute + 'm', alertname: alert, exp_alerts: [] },

  test(name, series, checks):: {
    name: name,
    input_series: series,
    alert_rule_test: checks,
  },

  // holds is a check of an expression's values: [{ labels, value }].
  holds(minute, expr, samples):: {
    eval_time: minute + 'm',
    expr: expr,
    exp_samples: [{ labels: labelled(s.metric, s.labels), value: s.value } for s in samples],
  },
}
