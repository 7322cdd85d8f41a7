// The pieces of PromQL that the mixin's rules are built from.
local limits = import 'limits.libsonnet';

// Enough digits for any limit, and no more: %s prints 0.3 as 0.29999999999999999, %g prints 1234567 as
// 1.23457e+06.
local number(n) = '%.10g' % n;

// duration writes seconds as Prometheus does: 25h, 10m, 90s.
local duration(seconds) =
  if seconds % 3600 == 0 then seconds / 3600 + 'h'
  else if seconds % 60 == 0 then seconds / 60 + 'm'
  else seconds + 's';

local quote(s) = std.escapeStringJson(s);

local parens(s) = '(\n  ' + std.strReplace(s, '\n', '\n  ') + '\n)';

{
  number: number,
  duration: duration,
  parens: parens,

  new(config):: {
    local p = self,
    local bridge = config.times.bridge,

    instanceLabels: config.clusterLabels + ['job', 'instance'],
    databaseLabels: self.instanceLabels + ['datname'],
    tableLabels: self.databaseLabels + ['schemaname', 'relname'],
    on(labels):: 'on (' + std.join(', ', labels) + ')',

    series(metric, matchers='')::
      metric + '{' + config.selector + (if matchers == '' then '' else ',' + matchers) + '}',

    // last is the last sample within `bridge`. With a plain selector, the stale marker that a missed scrape
    // leaves would restart the `for`.
    last(metric, matchers='', ago=0)::
      'last_over_time(' + p.series(metric, matchers) + '[' + duration(bridge) + ']'
      + (if ago == 0 then '' else ' offset ' + duration(ago)) + ')',

    // limit is the limit at path: a number or, if tables have their own limits, a vector with the labels of
    // read(matchers), one value per table.
    limit(path, read)::
      local default = number(limits.at(config.thresholds, path));
      local own = [
        '0 * %s + %s' % [read(p.tableMatchers(t)), number(limits.at(t, path))]
        for t in limits.entries(config.thresholds, path)
      ];
      if own == [] then default
      else parens(std.join('\nor ', own + ['0 * %s + %s' % [read(''), default]])),

    tableMatchers(t):: std.join(',', [
      label.name + '=' + quote(label.value)
      for label in p.identity(t)
    ]),

    // limitText is the same limit for an annotation, formatted with format.
    limitText(path, format)::
      local default = format(limits.at(config.thresholds, path));
      local own = [
        'if %s }}%s' % [p.tableCondition(t), format(limits.at(t, path))]
        for t in limits.entries(config.thresholds, path)
      ];
      if own == [] then default
      else '{{ ' + std.join('{{ else ', own) + '{{ else }}' + default + '{{ end }}',

    tableCondition(t):: 'and ' + std.join(' ', [
      '(eq $labels.%s %s)' % [label.name, quote(label.value)]
      for label in p.identity(t)
    ]),

    // identity returns the labels by which an entry of thresholds.tables identifies its table. An entry without
    // a database applies to that table in every database.
    identity(t):: [
      { name: name, value: value }
      for name in ['datname', 'schemaname', 'relname']
      for value in [{ datname: std.get(t, 'database'), schemaname: t.schema, relname: t.table }[name]]
      if value != null
    ],

    // withService multiplies by 1 to add the table's service label.
    withService(expr)::
      '%s\n* %s group_left (service) %s\n' % [expr, p.on(p.tableLabels), p.info],

    // info is the table's info series. Over a range it would return a series with its old labels and one with
    // its new labels at once, and a join would fail. So a missed scrape is bridged by the value half a bridge
    // ago, or a whole bridge ago. That covers any gap up to one bridge, and a second one within it.
    info::
      local info = p.series('softdelete_table_info');
      local older(ago) = 'or ' + p.on(p.tableLabels) + ' ' + info + ' offset ' + duration(ago);
      parens(std.join('\n', [info, older(std.ceil(bridge / 2)), older(bridge)])),
  },
}
