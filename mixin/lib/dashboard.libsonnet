// The parts that all dashboards share: variables, selectors, colours, links.
local g = import 'g.libsonnet';
local health = import 'health.libsonnet';

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
    byTable(expr):: d.by(['datname', 'schemaname', 'relname'], expr),

    // --- colours, from the same limits as the alerts -----------------------

    healthMappings: g.valueMappings(health.states),
    healthColors: g.mappings(self.healthMappings) + g.unit('none') + g.thresholds(g.steps('green', [])),
    local steps(limit) = g.steps(health.color.good, [
      g.step(health.color.fair, limit.fair),
      g.step(health.color.poor, limit.poor),
    ]),
    ratioSteps: steps(limits.deletion_ratio),
    oldSteps: steps(limits.old_deleted_rows),
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

    local link(uid, labels) =
      '/d/%s?${datasource:queryparam}&%s&${__url_time_range}'
      % [uid, std.join('&', ['var-%s=${__data.fields.%s}' % [l.name, l.name] for l in labels])],
    databaseLink: link('softdelete-database', database),
    serverLink: link('softdelete-database', server),
    tableLink: link('softdelete-table', table),

    // dashboard adds the parts that all dashboards share.
    dashboard(title, uid, description, variables, panels)::
      g.dashboard(title, uid, description, variables, panels)
      + g.withTagLinks('Soft delete', config.dashboards.tags[0])
      + g.withAnnotation(
        'Alerts',
        d.ofServer('ALERTS', 'alertstate="firing",alertname=~"SoftDelete.+",severity!="info"'),
        '{{alertname}} {{datname}} {{relname}}',
      )
      + {
        tags: config.dashboards.tags,
        refresh: config.dashboards.refresh,
        time+: { from: config.dashboards.from },
      },
  },
}
