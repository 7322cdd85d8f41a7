// The pieces of PromQL of which the mixin's rules are built.
local limits = import 'limits.libsonnet';

// Enough digits for any limit, and none too many: %s prints 0.3 as
// 0.29999999999999999, %g prints 1234567 as 1.23457e+06.
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

    // last is the last sample within `bridge`: a stale marker, which a missed
    // scrape leaves behind, would restart the `for` of a plain selector.
    last(metric, matchers='', ago=0)::
      'last_over_time(' + p.series(metric, matchers) + '[' + duration(bridge) + ']'
      + (if ago == 0 then '' else ' offset ' + duration(ago)) + ')',

    // limit is the limit at path as a number, or, where tables have their own,
    // as a vector with the labels of read(matchers), table by table.
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

    // limitText is the same limit for an annotation, printed by format.
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

    // identity is the labels by which an entry of thresholds.tables knows its
    // table; without a database it stands for that table in all of them.
    identity(t):: [
      { name: name, value: value }
      for name in ['datname', 'schemaname', 'relname']
      for value in [{ datname: std.get(t, 'database'), schemaname: t.schema, relname: t.table }[name]]
      if value != null
    ],

    // withService multiplies by 1 and brings the table's service along.
    withService(expr)::
      '%s\n* %s group_left (table_service) %s\n' % [expr, p.on(p.tableLabels), p.info],

    // info is the table's info series. Under a range it would show its old and
    // its new labels at once, and a join on it would fail; so a missed scrape is
    // bridged by its value half a bridge ago, or a whole one: any gap up to a
    // bridge, and a second one within.
    info::
      local info = p.series('softdelete_table_info');
      local older(ago) = 'or ' + p.on(p.tableLabels) + ' ' + info + ' offset ' + duration(ago);
      parens(std.join('\n', [info, older(std.ceil(bridge / 2)), older(bridge)])),
  },
}
