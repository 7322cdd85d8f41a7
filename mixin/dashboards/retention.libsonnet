// Are deleted rows removed in time, and whose are not?
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';
local health = import '../lib/health.libsonnet';

function(config)
  local d = dashboard.new(config);
  local p = d.promql('database');
  local plain = g.thresholds(g.steps('blue', []));
  local day = 86400;
  local year = 365 * day;

  // Of tables with a retention whose deletion time is known. A purge has its period and its grace; only then is a table
  // late. A table without old rows may have no deleted row at all.
  local overdue = '(%s or %s)' % [
    '(clamp_min(%s, 0))' % p.overdue,
    '(%s == 0)' % p.ofTable('softdelete_old_deleted_rows'),
  ];
  local limit = p.purgeTime(function(matchers) p.ofTable('softdelete_retention_seconds', matchers));
  local inTime = '(%s <= bool %s)' % [overdue, limit];
  local late = '(%s > bool %s)' % [overdue, limit];
  local overAYear = '(%s > bool %d)' % [overdue, year];
  local inDays(expr) = '%s / %d' % [expr, day];

  local shareSteps = g.steps(health.color.poor, [g.step(health.color.fair, 0.95), g.step(health.color.good, 1)]);
  local countSteps = g.steps(health.color.good, [g.step(health.color.poor, 1)]);
  local ofService(expr, operation) = d.by(['table_service'], p.withService(expr), operation);

  local summary = [
    g.stat('Tables in time', 'The share of tables whose deleted rows are purged in time: none is past its retention for longer than a purge may take (the time between two purges, and its grace). Only tables with a retention whose deletion times are known.', [
      g.now('avg(%s)' % inTime),
    ]) + g.unit('percentunit') + g.thresholds(shareSteps) + g.noValue('no data'),

    g.stat('Late tables', 'Tables with a deleted row that a purge should have removed.', [
      g.now('sum(%s)' % late),
    ]) + g.unit('none') + g.thresholds(countSteps) + g.noValue('no data'),

    g.stat('Overdue by', 'How long the oldest deleted row has been past its retention, at least; the worst of all tables.', [
      g.now(inDays('max(%s)' % overdue)),
    ]) + g.unit('suffix:days') + g.decimals(0) + g.thresholds(d.overdueSteps) + g.noValue('no data'),

    g.stat('Over a year', 'Tables with a deleted row that has been past its retention for more than a year.', [
      g.now('sum(%s)' % overAYear),
    ]) + g.unit('none') + g.thresholds(countSteps) + g.noValue('no data'),

    g.stat('Rows past retention', 'Deleted rows that should have been purged.', [
      g.now('sum(%s)' % d.ofDatabase('softdelete_old_deleted_rows')),
    ]) + plain + g.noValue('unknown'),

    g.stat('Without a promise', 'Tables of which nobody can say whether they are in time: they have no retention, or their deletion times are not known.', [
      g.now('sum(%s unless %s) or 0 * count(%s)' % [
        d.byTable(d.ofDatabase('softdelete_table_info')),
        overdue,
        d.ofDatabase('softdelete_table_info'),
      ]),
    ]) + g.unit('none') + g.thresholds(g.steps(health.color.good, [g.step(health.color.unknown, 1)])) + g.noValue('no data'),
  ];

  local who = [
    g.row('Whose rows are late'),

    g.table(
      'Services',
      'Each service on each server: the share of its tables that are in time, and by how much the worst is overdue.',
      [
        g.tableQuery(ofService(overdue, 'max') + ' / %d' % day, 'overdue'),
        g.tableQuery(ofService(inTime, 'avg'), 'share'),
        g.tableQuery(ofService(inTime, 'count'), 'tables'),
        g.tableQuery(ofService(late, 'sum'), 'late'),
        g.tableQuery(ofService(overAYear, 'sum'), 'year'),
        g.tableQuery(ofService(p.ofTable('softdelete_old_deleted_rows'), 'sum'), 'old'),
      ],
      [
        { field: 'table_service', title: 'Service' },
        { field: d.server, title: 'Server', links: [d.serverLink] + d.reportLinks },
        { field: 'share', title: 'In time', unit: 'percentunit', steps: shareSteps },
        { field: 'tables', title: 'Tables', unit: 'none' },
        { field: 'late', title: 'Late', unit: 'none', steps: countSteps },
        { field: 'overdue', title: 'Overdue by', unit: 'suffix:days', decimals: 0, steps: d.overdueSteps },
        { field: 'year', title: 'Over a year', unit: 'none', steps: countSteps },
        { field: 'old', title: 'Rows past retention', unit: 'short' },
      ],
      'Overdue by',
    ) + g.size(24, 7),

    g.table(
      'Tables',
      'Each table with a retention, the most overdue first. Click a table to see its history.',
      [
        g.tableQuery(inDays(d.byTable(overdue)), 'overdue'),
        g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'table_service'], p.withService(inDays(p.ofTable('softdelete_retention_seconds')))), 'retention'),
        g.tableQuery(p.ofTable('softdelete_old_deleted_rows'), 'old'),
        g.tableQuery(p.ofTable('softdelete_deleted_rows') + ' and ' + overdue, 'deleted'),
      ],
      [
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database', links: [d.databaseLink] },
        { field: d.server, title: 'Server', links: [d.serverLink] + d.reportLinks },
        { field: 'table_service', title: 'Service' },
        { field: 'retention', title: 'Retention', unit: 'suffix:days', width: 110 },
        { field: 'overdue', title: 'Overdue by', unit: 'suffix:days', decimals: 0, steps: d.overdueSteps, width: 120 },
        { field: 'old', title: 'Past retention', unit: 'short', width: 125 },
        { field: 'deleted', title: 'Deleted rows', unit: 'short', width: 125 },
      ],
      'Overdue by',
    ),
  ];

  local history = [
    g.row('Over time'),

    g.timeseries('Tables in time', 'The share of tables whose deleted rows are purged in time.', [
      g.query('avg(%s)' % inTime, 'in time'),
    ]) + g.unit('percentunit') + g.max(1) + g.size(8, 8),

    g.timeseries('Overdue by', 'For how many days the oldest deleted row has been past its retention; the ten worst tables.', [
      g.query('topk(10, %s)' % inDays(overdue), d.tableLegend),
    ]) + g.unit('suffix:days') + g.size(8, 8),

    g.timeseries('Deleted and purged', 'How many deleted rows were added in each hour, or longer if the graph shows more time, and below zero how many were removed or restored. Rows that were deleted and purged within the same hour are in neither.', [
      g.query('sum(clamp_min(delta(%s[$__interval]), 0))' % d.ofDatabase('softdelete_deleted_rows'), 'deleted'),
      g.query('sum(clamp_max(delta(%s[$__interval]), 0))' % d.ofDatabase('softdelete_deleted_rows'), 'purged or restored'),
    ]) + g.signed + g.minInterval('1h') + g.size(8, 8),

    g.bargauge('Fastest growing', 'The ten tables whose deleted rows grew most within the shown time.', [
      g.now('topk(10, %s)' % d.byTable('delta(%s[$__range])' % d.ofDatabase('softdelete_deleted_rows')), d.tableLegend),
    ]) + plain + g.noValue('no data'),

    // Differences of the cumulative classes.
    local younger(age) = 'sum(%s)' % d.ofDatabase('softdelete_deleted_rows_by_age', 'age="%s"' % age);
    g.bargauge('Deleted rows by age', "How long ago the rows were deleted. Only tables for which deleted_rows_by_age is on in the exporter's configuration.", [
      g.now(younger('7d'), 'up to 7 days'),
      g.now('%s - %s' % [younger('30d'), younger('7d')], '8 to 30 days'),
      g.now('%s - %s' % [younger('90d'), younger('30d')], '31 to 90 days'),
      g.now('%s - %s' % [younger('365d'), younger('90d')], '91 to 365 days'),
      g.now('%s - %s' % [younger('all'), younger('365d')], 'over a year'),
    ]) + plain + g.noValue('no data'),
  ];

  d.dashboard(
    'Retention',
    'softdelete-retention',
    'Are deleted rows removed in time, and whose are not?',
    d.databaseVariables,
    summary + who + history,
  )
