// The pieces of PromQL that the mixin's rules are built from.
local limits = import 'limits.libsonnet';

// Enough digits for any limit: %s prints 0.3 as 0.29999999999999999, and %g prints 1234567 as 1.23457e+06. Formats
// take a hundred times as long as `+`, and most of them are here.
local number(n) = if n == std.floor(n) && n < 1e10 then '' + n else '%.10g' % n;

// duration writes seconds as Prometheus does: 8d, 25h, 10m, 90s.
local duration(seconds) =
  if seconds % 86400 == 0 then seconds / 86400 + 'd'
  else if seconds % 3600 == 0 then seconds / 3600 + 'h'
  else if seconds % 60 == 0 then seconds / 60 + 'm'
  else seconds + 's';

local quote(s) = std.escapeStringJson(s);

local parens(s) = '(\n  ' + std.strReplace(s, '\n', '\n  ') + '\n)';

{
  number: number,
  duration: duration,
  parens: parens,
  quote: quote,

  new(config):: {
    local p = self,

    // The labels that identify the subject of a series. Other labels of a target (its pod, its address) are ignored,
    // because they can change while the server and its alerts stay the same.
    serverLabels: config.clusterLabels + config.serverLabels,
    databaseLabels: self.serverLabels + ['datname'],
    tableLabels: self.databaseLabels + ['schemaname', 'relname'],

    on(labels):: 'on (' + std.join(', ', labels) + ')',
    by(labels, expr, operation='max'):: operation + ' by (' + std.join(', ', labels) + ') (' + expr + ')',
    // joined gives the value of a server to each of its tables or databases.
    joined:: '%s group_left ()' % self.on(self.serverLabels),

    // series selects a metric of the exporter, or one that Prometheus writes about a target.
    series(metric, matchers='')::
      metric + '{' + std.join(',', [m for m in [config.selector, matchers] if m != '']) + '}',

    // last is the last sample within `bridge`. A failed scrape leaves a stale marker, which would restart the `for` of
    // a plain selector.
    last(metric, matchers='')::
      'last_over_time(' + p.series(metric, matchers) + '[' + duration(config.times.bridge) + '])',

    // ofServer and ofTable return one series for each server or table, even while one pod replaces another and two
    // targets report about it.
    ofServer(metric):: p.by(p.serverLabels, p.series(metric)),
    ofTable(metric, matchers='', ago=0)::
      p.by(p.tableLabels, p.series(metric, matchers) + (if ago == 0 then '' else ' offset ' + duration(ago))),

    // limit returns the limit at path. It is a number, or, if some tables have their own limit, a vector with the
    // labels of read(matchers).
    limit(path, read, times=1)::
      p.choice(function(own) limits.at(own, path), limits.at(config.thresholds, path), read, times),

    // choice does the same for a value that is made of several limits. value is a function, as in limits.own.
    choice(value, default, read, times=1)::
      local own = [
        '0 * ' + read(p.tableMatchers(o.table)) + ' + ' + number(times * o.value)
        for o in limits.own(config.thresholds, value)
      ];
      if own == [] then number(times * default)
      else parens(std.join('\nor ', own + ['0 * ' + read('') + ' + ' + number(times * default)])),

    // ownTables selects the tables that have their own limit at path.
    ownTables(path):: [
      p.tableMatchers(o.table)
      for o in limits.own(config.thresholds, function(own) limits.at(own, path))
    ],

    // bigEnough excludes small tables from alerts on ratios. A table with its own limit for the ratio is not excluded,
    // unless it also has its own minimum of rows.
    bigEnough(level)::
      p.ofTable('softdelete_total_rows') + ' >= ' + p.choice(
        function(own)
          if std.objectHas(own, 'alert_min_rows') then own.alert_min_rows
          else if std.objectHas(std.get(own, 'deletion_ratio', {}), level) then 0
          else null,
        config.thresholds.alert_min_rows,
        function(matchers) p.ofTable('softdelete_total_rows', matchers),
      ),

    // A purge has its period and its grace to remove rows that are past retention.
    local purgeTime(limits) = limits.purge_period_seconds + limits.purge_grace_seconds,
    local ownPurgeTime(own) =
      if std.objectHas(own, 'purge_period_seconds') || std.objectHas(own, 'purge_grace_seconds')
      then purgeTime(config.thresholds + own)
      else null,
    purgeTime(read):: p.choice(ownPurgeTime, purgeTime(config.thresholds), read),
    purgeTimeText:: p.choiceText(ownPurgeTime, purgeTime(config.thresholds), duration),

    tableMatchers(table):: std.join(',', [
      label.name + (if label.isPattern then '=~' else '=') + quote(label.value)
      for label in p.identity(table)
    ]),

    // limitText is the same limit for an annotation, formatted with format.
    limitText(path, format)::
      p.choiceText(function(own) limits.at(own, path), limits.at(config.thresholds, path), format),

    choiceText(value, default, format)::
      local own = [
        'if %s }}%s' % [p.tableCondition(o.table), format(o.value)]
        for o in limits.own(config.thresholds, value)
      ];
      if own == [] then format(default)
      else '{{ ' + std.join('{{ else ', own) + '{{ else }}' + format(default) + '{{ end }}',

    tableCondition(table):: 'and ' + std.join(' ', [
      if label.isPattern then '(match %s $labels.%s)' % [quote('^(?:%s)$' % label.value), label.name]
      else '(eq $labels.%s %s)' % [label.name, quote(label.value)]
      for label in p.identity(table)
    ]),

    // identity returns the labels by which an entry of thresholds.tables identifies its table, or by pattern its
    // tables. A label that the entry leaves out can have any value.
    identity(table):: [
      { name: key[0], value: table[key[1]], isPattern: key[2] }
      for key in [
        ['datname', 'database', false],
        ['schemaname', 'schema', false],
        ['relname', 'table', false],
        ['datname', 'databases', true],
        ['schemaname', 'schemas', true],
        ['relname', 'tables', true],
      ]
      if std.objectHas(table, key[1])
    ],

    // overdue returns how long ago the oldest deleted row of each table passed its retention, at least: a sample may not
    // have the oldest one. Before that, it is negative.
    overdue:: 'time() - (%s or %s) - %s' % [
      p.ofTable('softdelete_oldest_deleted_timestamp_seconds'),
      p.ofTable('softdelete_oldest_deleted_timestamp_bound_seconds'),
      p.ofTable('softdelete_retention_seconds'),
    ],

    // withService multiplies by 1 and adds the service of the table. While one pod replaces another, two targets may
    // report a service of the table. Then one is chosen.
    withService(expr)::
      expr + '\n* ' + p.on(p.tableLabels) + ' group_left (table_service) '
      + 'topk by (' + std.join(', ', p.tableLabels) + ') (1, ' + p.series('softdelete_table_info') + ')',

    // The conditions of tables (rules/conditions.libsonnet). Most alerts use them.
    condition(state, name, matchers='')::
      'table:softdelete_condition:%s{%s}' % [state, std.join(',', ['condition="%s"' % name] + [m for m in [matchers] if m != ''])],

    // recently returns a condition of `now` that comes from the catalog, and keeps it for `bridge` after it has ended.
    // If a table has moved to another service, it has only the new service.
    recently(name, labels, matchers='')::
      local now = p.condition('now', name, matchers);
      '%s\nor %s\nlast_over_time(%s[%s])' % [now, p.on(p.tableLabels + labels), now, duration(config.times.bridge)],

    // firing is true if the alert was firing a moment ago.
    local firing(alert) = 'ALERTS{alertname="%s",alertstate="firing"}' % alert,

    // orHeld adds a weaker condition, which is enough to keep the alert firing.
    orHeld(expr, weaker, alert, labels)::
      '%s\nor %s and %s %s' % [expr, weaker, p.on(labels), firing(alert)],

    // over is expr if it is over a limit.
    over(expr, limit, near, alert, labels):: p.orHeld('%s > %s' % [expr, limit], near, alert, labels),

    // failing returns the share of the last pings or scrapes that failed, if it is at least failed_share. After an
    // outage that had its own alert, the same failures cause no second alert.
    failing(metric, alert, outage)::
      local range = '%s[%s]' % [p.series(metric), duration(config.times.failing)];
      local all(operation) = p.by(p.serverLabels, '%s_over_time(%s)' % [operation, range], 'sum');
      local share = '1 - %s / %s' % [all('sum'), all('count')];
      local limit = config.thresholds.failed_share;
      '(\n  %s >= %s\n  or %s >= %s and %s %s\n)\nunless %s last_over_time(%s[%s])' % [
        share,
        number(limit),
        share,
        number(config.thresholds.release_share * limit),
        p.on(p.serverLabels),
        firing(alert),
        p.on(p.serverLabels),
        firing(outage),
        duration(config.times.failing),
      ],
  },
}
