// A small language for promtool's unit tests. Times are minutes from the start.

local labelled(metric, labels) =
  metric + '{' + std.join(',', [l + '=' + std.escapeStringJson(labels[l]) for l in std.objectFields(labels)]) + '}';

{
  local t = self,

  // One exporter with one database and one table.
  target: { job: 'softdelete_exporter', instance: 'db1:10862' },
  shop: self.target { datname: 'shop' },
  orders: self.shop { schemaname: 'public', relname: 'orders' },

  // Formatting is slow, and most numbers are whole.
  number(n):: if n == std.floor(n) then '' + n else '%.10g' % n,

  // series has one sample a minute. values is a constant number, or promtool's notation.
  series(metric, values, labels=t.target, minutes=120):: {
    series: labelled(metric, labels),
    values: if std.isNumber(values) then t.number(values) + '+0x' + minutes else values,
  },

  // scraped repeats value for each successful scrape. layout has the number of successful scrapes, then of failed
  // ones, and so on.
  scraped(value, layout):: std.join(' ', [
    if i % 2 == 0 then t.number(value) + '+0x' + (layout[i] - 1)
    else if layout[i] == 1 then 'stale'
    else 'stale _x' + (layout[i] - 1)
    for i in std.range(0, std.length(layout) - 1)
  ]),

  // again repeats the same minutes several times.
  again(values, times):: std.join(' ', std.repeat([values], times)),

  // table returns the series of a table: its info, and facts by their names without the prefix. Unless facts say
  // otherwise, the table has 100,000 rows and is counted exactly.
  table(facts={}, labels=t.orders, service='checkout', minutes=120)::
    local all = { total_rows: 100000, deletion_ratio: 0.1, deletion_ratio_margin: 0, checked_timestamp_seconds: 0 } + facts;
    [t.info(labels, service, minutes)]
    + [t.series('softdelete_' + f, all[f], labels, minutes) for f in std.objectFields(all) if all[f] != null],

  // scrapedTable returns the same if some scrapes fail. The facts are numbers.
  scrapedTable(layout, facts={}, labels=t.orders, service='checkout')::
    local all = { total_rows: 100000, deletion_ratio: 0.1, deletion_ratio_margin: 0, checked_timestamp_seconds: 0 } + facts;
    [t.info(labels, service, values=t.scraped(1, layout))]
    + [t.series('softdelete_' + f, t.scraped(all[f], layout), labels) for f in std.objectFields(all) if all[f] != null],

  info(labels=t.orders, service='checkout', minutes=120, values=1)::
    t.series('softdelete_table_info', values, labels { marker: 'deleted_at', kind: 'timestamp', table_service: service }, minutes),

  // clock is the exporter's clock, which may be fast by some seconds.
  clock(labels=t.target, minutes=120, ahead=0)::
    t.series('softdelete_exporter_time_seconds', '%d+60x%d' % [ahead, minutes], labels),

  // server returns all series of a healthy server with one table: `up`, and the exporter's metrics while it is up.
  // layout is as in scraped, after `before` gaps; every is the distance of the samples in minutes. over replaces or
  // adds values, by metric. A blank and the labels after it select one of several series, such as
  // 'softdelete_index_problem orders_email_key invalid'. null removes a series.
  server(over={}, layout=[t.minutes + 1], before=0, every=1, labels={})::
    local after(values) = if before == 0 then values else '_x%d %s' % [before, values];
    local of(value) = after(t.scraped(value, layout));
    local ends = std.foldl(function(ends, n) ends + [ends[std.length(ends) - 1] + n], layout, [before]);
    local clock = after(std.join(' ', [
      if i % 2 == 0 then '%d+%dx%d' % [60 * every * ends[i], 60 * every, layout[i] - 1]
      else if layout[i] == 1 then 'stale'
      else 'stale _x%d' % (layout[i] - 1)
      for i in std.range(0, std.length(layout) - 1)
    ]));
    local all = {
      up: of(1),
      db_up: of(1),
      db_response_ms: of(2),
      softdelete_exporter_time_seconds: clock,
      softdelete_exporter_ttl_seconds: of(300),
      softdelete_exporter_config_last_reload_successful: of(1),
      softdelete_exporter_connections_evicted_total: of(0),
      'softdelete_exporter_tables counted': of(1),
      'softdelete_exporter_tables pending': of(0),
      'softdelete_exporter_tables failed': of(0),
      'softdelete_exporter_tables skipped': of(0),
      'softdelete_exporter_check_success connect': of(1),
      'softdelete_exporter_check_success discovery': of(1),
      'softdelete_exporter_check_success counting': of(1),
      'softdelete_exporter_check_success indexes': of(1),
      'softdelete_table_info deleted_at timestamp checkout': of(1),
      softdelete_checked_timestamp_seconds: clock,
      softdelete_active_rows: of(90000),
      softdelete_deleted_rows: of(10000),
      softdelete_total_rows: of(100000),
      softdelete_deletion_ratio: of(0.1),
      softdelete_deletion_ratio_margin: of(0),
      softdelete_old_deleted_rows: of(0),
      softdelete_old_deleted_rows_margin: of(0),
      softdelete_recently_deleted_rows: of(10),
      softdelete_retention_seconds: of(90 * 86400),
      softdelete_oldest_deleted_timestamp_seconds: of(-80 * 86400),
      'softdelete_index_present purge': of(1),
    } + over;
    local more = {
      softdelete_exporter_tables: ['state'],
      softdelete_exporter_check_success: ['check'],
      softdelete_table_info: ['marker', 'kind', 'table_service'],
      softdelete_table_problem: ['reason'],
      softdelete_index_present: ['purpose'],
      softdelete_index_problem: ['indexrelname', 'problem'],
    };
    [
      local words = std.split(key, ' ');
      local metric = words[0];
      local of =
        if metric == 'up' || std.startsWith(metric, 'db_') then t.target
        else if metric == 'softdelete_exporter_tables' || metric == 'softdelete_exporter_check_success' then t.shop
        else if std.startsWith(metric, 'softdelete_exporter_') then t.target
        else t.orders;
      local own = std.get(more, metric, []);
      assert std.length(own) == std.length(words) - 1 : key + ': these are not its labels';
      t.series(metric, all[key], of + labels + { [own[i]]: words[i + 1] for i in std.range(0, std.length(own) - 1) }, t.minutes)
      for key in std.objectFields(all)
      if all[key] != null
    ],
  // The length of the tests of whole servers.
  minutes: 240,

  // firing is a firing alert, with all its labels and texts.
  firing(alert, severity, summary, description, labels=t.orders { service: 'checkout' }):: {
    name:: alert,
    exp_labels: labels { severity: severity },
    exp_annotations: {
      summary: summary,
      description: description,
      runbook_url: 'https://github.com/softdelete-exporter/softdelete_exporter/blob/main/mixin/runbook.md#' + std.asciiLower(alert),
    },
  },

  // fires is true if exactly these fire. All of them belong to the same alert.
  fires(minute, alerts):: {
    eval_time: minute + 'm',
    alertname: alerts[0].name,
    exp_alerts: alerts,
  },

  // quiet is true if the alert does not fire.
  quiet(minute, alert):: { eval_time: minute + 'm', alertname: alert, exp_alerts: [] },

  // exactly is true if exactly these fire, of all alerts: { alert, labels }.
  exactly(minute, alerts):: t.holds(minute, 'count by (%s) (ALERTS{alertstate="firing"})' % std.join(', ', t.told), [
    { metric: '', labels: a { [l]: null for l in std.objectFields(a) if !std.member(t.told, l) }, value: 1 }
    for a in alerts
  ]),
  // The labels that exactly compares.
  told: ['alertname', 'instance', 'datname', 'relname', 'service', 'reason', 'problem', 'purpose', 'check'],

  test(name, series, checks):: {
    name: name,
    input_series: series,
    alert_rule_test: [c for c in checks if std.objectHas(c, 'alertname')],
    promql_expr_test: [c for c in checks if !std.objectHas(c, 'alertname')],
  },

  // holds checks the values of an expression: [{ labels, value }].
  holds(minute, expr, samples):: {
    eval_time: minute + 'm',
    expr: expr,
    exp_samples: [{ labels: labelled(s.metric, std.prune(s.labels)), value: s.value } for s in samples],
  },
}
