// Which server, database and service has problems?
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';
local health = import '../lib/health.libsonnet';

function(config)
  local d = dashboard.new(config);

  // The number of tables or servers of which something is true. It is 0 only if there are any.
  local number(title, description, condition, color) =
    g.stat(title, description, [g.now('sum(%s)' % condition)])
    + g.unit('none')
    + g.thresholds(g.steps(health.color.good, [g.step(color, 1)]))
    + g.noValue('no data');
  local tables(verdict) = '%s == bool %d' % [d.ofServer('table:softdelete_health:max'), health[verdict]];
  local notGood(metric) = d.byTable('%s and %s %s > 0' % [
    d.ofServer(metric),
    d.on(['datname', 'schemaname', 'relname']),
    d.ofServer('table:softdelete_health:max'),
  ]);

  local healthColumn = { field: 'health', title: 'Health', mappings: d.healthMappings, width: 90 };

  d.dashboard(
    'Fleet',
    'softdelete-fleet',
    'Which server, database and service has problems?',
    d.serverVariables,
    [
      number(
        'Servers down',
        'Servers that do not answer the ping, and servers whose exporter does not answer Prometheus.',
        d.connected + ' == bool 0',
        health.color.poor,
      ),
      number('Poor tables', 'Tables with too many deleted rows, with too many rows past retention, or with a unique index that allows duplicates among the live rows.', tables('poor'), health.color.poor),
      number('Unknown tables', 'Tables that cannot be read, wait for their first count, or are known from statistics only.', tables('unknown'), health.color.unknown),
      number('Fair tables', 'Tables that need a cleanup or an index.', tables('fair'), health.color.fair),
      g.stat('Watched tables', 'All tables that the exporters watch.', [
        g.now('count(%s)' % d.ofServer('softdelete_table_info')),
      ]) + g.unit('none') + g.thresholds(g.steps('blue', [])) + g.noValue('no data'),
      g.stat('Dead weight', 'Estimated size of the deleted rows in the heap.', [
        g.now('sum(%s)' % d.ofServer('softdelete_deleted_bytes')),
      ]) + g.unit('bytes') + g.thresholds(g.steps('blue', [])) + g.noValue('unknown'),

      g.row('Worst first'),

      g.table(
        'Servers',
        "The worst verdict of each server's databases and connection, and why. Not seen: Prometheus cannot reach the exporter. Click a server to open it.",
        [
          g.tableQuery(d.healthOfServers, 'health'),
          g.tableQuery(d.reasonOfServers, 'why'),
          g.tableQuery(d.by([], d.ofServer('db_response_ms')), 'response'),
        ],
        [
          { field: 'health', title: 'Health', mappings: d.serverMappings, width: 90 },
          { field: 'reason', title: 'Why' },
          { field: d.server, title: 'Server', links: [d.serverLink] + d.reportLinks },
          { field: 'job', title: 'Job' },
          { field: 'response', title: 'Response', unit: 'ms', steps: d.responseSteps, width: 100 },
        ],
        'Health',
      ) + g.size(12, 8),

      g.table(
        'Services',
        "The worst of each service's tables, on each server.",
        [
          g.tableQuery(d.by(['table_service'], d.ofServer('service:softdelete_health:max')), 'health'),
          g.tableQuery(d.by(['table_service'], d.ofServer('table:softdelete_health:max', 'table_service!=""'), 'count'), 'tables'),
        ],
        [
          healthColumn,
          { field: 'table_service', title: 'Service' },
          { field: d.server, title: 'Server', links: [d.serverLink] },
          { field: 'tables', title: 'Tables', unit: 'none', width: 80 },
        ],
        'Health',
      ) + g.size(12, 8),

      g.table(
        'Tables that need attention',
        'Every table that is not good, worst first, and the reason of its verdict; if there are several, the first. Click a table to see its history.',
        [
          g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'table_service'], '%s > 0' % d.ofServer('table:softdelete_health:max')), 'health'),
          g.tableQuery(d.reasonOfTables('server'), 'why'),
          g.tableQuery(notGood('softdelete_deletion_ratio'), 'ratio'),
          g.tableQuery(notGood('softdelete_old_deleted_rows'), 'old'),
        ],
        [
          healthColumn,
          { field: 'reason', title: 'Why', width: 270 },
          { field: 'relname', title: 'Table', links: [d.tableLink] },
          { field: 'schemaname', title: 'Schema' },
          { field: 'datname', title: 'Database', links: [d.databaseLink] },
          { field: d.server, title: 'Server', links: [d.serverLink] + d.reportLinks },
          { field: 'table_service', title: 'Service' },
          { field: 'ratio', title: 'Deleted', unit: 'percentunit', steps: d.ratioSteps, width: 100 },
          { field: 'old', title: 'Past retention', unit: 'short', steps: d.oldSteps, width: 130 },
        ],
        'Health',
      ) + g.size(24, 9),

      g.table(
        'Databases',
        "The worst verdict of each database's tables; unknown or worse if discovery fails. Click a database to open it.",
        [
          g.tableQuery(d.byDatabase(d.ofServer('database:softdelete_health:max')), 'health'),
          g.tableQuery(d.by(['datname'], d.ofServer('softdelete_deleted_rows'), 'sum'), 'deleted'),
        ],
        [
          healthColumn,
          { field: 'datname', title: 'Database', links: [d.databaseLink] },
          { field: d.server, title: 'Server', links: [d.serverLink] },
          { field: 'deleted', title: 'Deleted rows', unit: 'short', width: 120 },
        ],
        'Health',
      ) + g.size(12, 7),

      g.stateTimeline('Health of the servers', "The worst verdict of each server's databases and connection over time. Not seen: Prometheus cannot reach the exporter.", [
        g.query(d.healthOfServers, '{{%s}}' % d.server),
      ]) + g.mappings(d.serverMappings) + g.unit('none') + g.thresholds(g.steps('green', [])) + g.size(12, 7),

      g.row('History'),

      g.timeseries('Response time', 'Response time of a SELECT 1 on an open connection.', [
        g.query(d.ofServer('db_response_ms'), '{{%s}}' % d.server),
      ]) + g.unit('ms') + g.thresholds(d.responseSteps, 'line') + g.size(8, 8),

      g.timeseries('Deleted rows by server', 'Soft-deleted rows in all watched tables.', [
        g.query(d.by([], d.ofServer('softdelete_deleted_rows'), 'sum'), '{{%s}}' % d.server),
      ]) + g.stacked + g.size(8, 8),

      g.timeseries('Deleted rows past retention by server', 'Soft-deleted rows that should have been purged.', [
        g.query(d.by([], d.ofServer('softdelete_old_deleted_rows'), 'sum'), '{{%s}}' % d.server),
      ]) + g.stacked + g.size(8, 8),
    ],
  )
