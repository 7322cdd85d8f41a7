// The parts that all dashboards share: variables, selectors, colours, links.
local g = import 'g.libsonnet';
local health = import 'health.libsonnet';
local promql = import 'promql.libsonnet';
local verdicts = import 'verdicts.libsonnet';

{
  new(config):: {
    local d = self,
    local limits = config.thresholds,

    local clusters = if config.dashboards.showMultiCluster then config.clusterLabels else [],
    local matchers(labels) = std.join(',', ['%s=~"$%s"' % [l, l] for l in labels]),
    local variables(labels, series, multi) = [
      g.labelVariable(labels[i].name, series(std.join(',', [config.selector] + [matchers([l.name]) for l in labels[:i]])), labels[i].label, multi)
      for i in std.range(0, std.length(labels) - 1)
    ],

    // The variables for the labels of a server, of a database and of a table. The last label of a server is its name.
    local titles = { job: 'Job', [d.server]: 'Server' },
    server: config.serverLabels[std.length(config.serverLabels) - 1],
    serverLabels: config.clusterLabels + config.serverLabels,
    local server = [{ name: l, label: std.get(titles, l, l) } for l in clusters + config.serverLabels],
    local database = server + [{ name: 'datname', label: 'Database' }],
    local table = database + [{ name: 'schemaname', label: 'Schema' }, { name: 'relname', label: 'Table' }],

    local names(labels) = [l.name for l in labels],
    serverVariables: variables(server, function(m) 'db_up{%s}' % m, true),
    databaseVariables: self.serverVariables
                       + variables(database, function(m) 'softdelete_table_info{%s}' % m, true)[std.length(server):],
    tableVariables: variables(table, function(m) 'softdelete_table_info{%s}' % m, false),

    // of selects a metric by the variables of a level.
    local selector(labels) = function(metric, matchers_='')
      '%s{%s}' % [metric, std.join(',', [m for m in [matchers(names(labels)), matchers_] if m != ''])],
    ofServer: selector(server),
    ofDatabase: selector(database),
    ofTable: selector(table),

    // by keeps only the labels that identify a row of a table. It also drops the metric's name, because Grafana
    // cannot join series with different names.
    by(labels, expr, operation='max'):: '%s by (%s) (%s)' % [operation, std.join(', ', d.serverLabels + labels), expr],
    byDatabase(expr):: d.by(['datname'], expr),
    byTable(expr):: d.by(tableLabels, expr),
    local tableLabels = ['datname', 'schemaname', 'relname'],
    on(labels):: 'on (%s)' % std.join(', ', d.serverLabels + labels),

    // The rules' pieces of PromQL, with the variables of a level as their selector.
    local narrowed(labels) = config { selector: matchers(names(labels)) },
    promql(level):: promql.new(narrowed({ server: server, database: database, table: table }[level])),

    local because(reason, condition) = 'label_replace(%s, "reason", "%s", "", "")' % [condition, reason],
    local firstOf(labels, reasons) = d.by(labels + ['reason'], std.join('\nor %s ' % d.on(labels), reasons)),

    // reasonOfTables says, of each table that is not good, why: the first reason that the exporter's report gives.
    reasonOfTables(level):: firstOf(tableLabels, [
      because(why.reason, why.condition)
      for verdict in verdicts(narrowed({ server: server, database: database, table: table }[level]))
      for why in verdict.because
    ]),

    // unreached selects the targets that Prometheus cannot scrape. Without a selector of the exporter's jobs, those are
    // left out that never told of a server.
    local unreached = d.by([], d.ofServer('up', config.selector)) + ' == 0'
                      + (if config.selector != '' then '' else ' and %s last_over_time(%s[1d])' % [d.on([]), d.ofServer('db_up')]),

    // seen is 1 for a target that Prometheus can scrape, and 0 for one that it cannot.
    seen: '(0 * %s + 1 or %s)' % [d.by([], d.ofServer('db_up')), d.by([], unreached)],

    // connected is 1 for a server that answers, and 0 for one that does not or whose exporter does not.
    connected: '(%s or %s)' % [d.by([], d.ofServer('db_up')), d.by([], unreached)],

    // healthOfServers has, besides the verdicts, a state for a server whose exporter cannot be scraped, so that it
    // does not vanish.
    healthOfServers: '%s or %d + %s' % [d.by([], d.ofServer('instance:softdelete_health:max')), unseen, d.by([], unreached)],
    reasonOfServers:
      local verdict(level, code) = '(%s == %d)' % [d.by([], d.ofServer(level + ':softdelete_health:max')), code];
      firstOf([], [
        because('the exporter does not answer', '(%s)' % unreached),
        because('the server does not answer', '(%s == 0)' % d.by([], d.ofServer('db_up'))),
        because('poor tables', verdict('database', health.poor)),
        because('a database cannot be read', '(%s == 0)' % d.by(
          [], d.ofServer('softdelete_exporter_check_success', 'check=~"connect|discovery"'), 'min'
        )),
        because('tables are unknown', verdict('database', health.unknown)),
        because('no table is watched', verdict('instance', health.unknown)),
        because('it answers slowly', verdict('connection', health.fair)),
        because('fair tables', verdict('database', health.fair)),
      ]),
    local unseen = health.poor + 1,

    tableLegend: '{{schemaname}}.{{relname}} in {{datname}} on {{%s}}' % d.server,

    // --- colours, from the same limits as the alerts -----------------------

    healthMappings: g.valueMappings(health.states),
    serverMappings: g.valueMappings(health.states + [{ value: unseen, text: 'not seen', color: health.color.poor }]),
    healthColors: g.mappings(self.healthMappings) + g.unit('none') + g.thresholds(g.steps('green', [])),
    local steps(limit) = g.steps(health.color.good, [
      g.step(health.color.fair, limit.fair),
      g.step(health.color.poor, limit.poor),
    ]),
    ratioSteps: steps(limits.deletion_ratio),
    oldSteps: steps(limits.old_deleted_rows),
    // In days. A purge has its time before it is late.
    overdueSteps: g.steps(health.color.good, [
      g.step(health.color.fair, 0.01),
      g.step(health.color.poor, (limits.purge_period_seconds + limits.purge_grace_seconds) / 86400),
    ]),
    responseSteps: g.steps(health.color.good, [g.step(health.color.fair, limits.response_ms.slow)]),
    okMappings: g.valueMappings([
      { value: 0, text: 'failing', color: health.color.poor },
      { value: 1, text: 'ok', color: health.color.good },
    ]),
    missingMappings: g.valueMappings([
      { value: 0, text: 'missing', color: health.color.fair },
      { value: 1, text: 'there', color: health.color.good },
    ]),
    upMappings: g.valueMappings([
      { value: 0, text: 'down', color: health.color.poor },
      { value: 1, text: 'up', color: health.color.good },
    ]),

    // --- links --------------------------------------------------------------

    local link(title, uid, labels) = {
      title: title,
      url: '%s/d/%s?${datasource:queryparam}&%s&${__url_time_range}'
           % [config.dashboards.path, uid, std.join('&', ['var-%s=%s' % [l.name, g.field(l.name)] for l in labels])],
    },
    databaseLink: link('Open the database', 'softdelete-database', database),
    serverLink: link('Open the server', 'softdelete-database', server),
    tableLink: link('Open the table', 'softdelete-table', table),

    // reportLinks has the link to the report of a row's server, if there is one.
    reportLinks:
      local inRow(url, label) = std.foldl(
        function(url, end) std.strReplace(url, '${%s%s' % [label, end], '${__data.fields.%s%s' % [label, end]), ['}', ':'], url
      );
      [
        { title: 'Report of the server', url: std.foldl(inRow, d.serverLabels, config.reportURL) }
        for _ in [0]
        if config.reportURL != ''
      ],

    // dashboard adds the parts that all dashboards share.
    dashboard(title, uid, description, variables, panels, alerts=d.ofServer)::
      g.dashboard(config.dashboards.prefix + title, uid, description, variables, panels)
      + g.withTagLinks('Soft delete', config.dashboards.tags[0])
      + g.withAnnotation(
        'Alerts',
        alerts('ALERTS', 'alertstate="firing",alertname=~"SoftDelete.+",severity!="info"'),
        '{{alertname}} {{datname}} {{relname}}',
      )
      + {
        tags: config.dashboards.tags,
        refresh: config.dashboards.refresh,
        time+: { from: config.dashboards.from },
        timezone: config.dashboards.timezone,
      },
  },
}
