// Which server, database and service has problems?
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';
local health = import '../lib/health.libsonnet';

function(config)
  local d = dashboard.new(config);

  local number(title, description, expr, color) =
    g.stat(title, description, [g.now(expr + ' or vector(0)')])
    + g.unit('none')
    + g.thresholds(g.steps(health.color.good, [g.step(color, 1)]));
  local tables(verdict) = 'count(%s == %d)' % [d.ofServer('table:softdelete_health:max'), health[verdict]];

  local healthColumn = { field: 'health', title: 'Health', mappings: d.healthMappings, width: 100 };

  d.dashboard(
    'Soft delete / Fleet',
    'softdelete-fleet',
    'Which server, database and service has problems?',
    d.serverVariables,
    [
      number(
        'Servers down',
        'Servers that do not answer the ping.',
        'count(%s == 0)' % d.ofServer('db_up'),
        health.color.poor,
      ),
      number('Poor tables', 'Tables with too many deleted rows, with too many rows past retention, or with a unique index that allows duplicates among the live rows.', tables('poor'), health.color.poor),
      number('Unknown tables', 'Tables that cannot be read, wait for their first count, or are known from statistics only.', tables('unknown'), health.color.unknown),
      number('Fair tables', 'Tables that need a cleanup or an index.', tables('fair'), health.color.fair),
      g.stat('Watched tables', 'All tables that the exporters watch.', [
        g.now('count(%s) or vector(0)' % d.ofServer('softdelete_table_info')),
      ]) + g.unit('none') + g.thresholds(g.steps('blue', [])),
      g.stat('Dead weight', 'Estimated size of the deleted rows in the heap.', [
        g.now('sum(%s)' % d.ofServer('softdelete_deleted_bytes')),
      ]) + g.unit('bytes') + g.thresholds(g.steps('blue', [])) + g.noValue('unknown'),

      g.row('Worst first'),

      g.table(
        'Servers',
        "The worst verdict of each server's databases and connection. Click a server to open it.",
        [
          g.tableQuery(d.by([], d.ofServer('instance:softdelete_health:max')), 'health'),
          g.tableQuery(d.by([], d.ofServer('db_response_ms')), 'response'),
        ],
        [
          healthColumn,
          { field: d.server, title: 'Server', link: d.serverLink },
          { field: 'job', title: 'Job' },
          { field: 'response', title: 'Response', unit: 'ms', steps: d.responseSteps, width: 110 },
        ],
        'Health',
      ) + g.size(8, 9),

      g.table(
        'Databases',
        "The worst verdict of each database's tables; unknown or worse if discovery fails. Click a database to open it.",
        [
          g.tableQuery(d.byDatabase(d.ofServer('database:softdelete_health:max')), 'health'),
          g.tableQuery(d.by(['datname'], d.ofServer('softdelete_deleted_rows'), 'sum'), 'deleted'),
        ],
        [
          healthColumn,
          { field: 'datname', title: 'Database', link: d.databaseLink },
          { field: d.server, title: 'Server' },
          { field: 'deleted', title: 'Deleted rows', unit: 'short', width: 120 },
        ],
        'Health',
      ) + g.size(8, 9),

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
          { field: d.server, title: 'Server', link: d.serverLink },
          { field: 'tables', title: 'Tables', unit: 'none', width: 80 },
        ],
        'Health',
      ) + g.size(8, 9),

      g.table(
        'Tables that need attention',
        'Every table that is not good, worst first. Click a table to see its history.',
        [
          g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'table_service'], '%s > 0' % d.ofServer('table:softdelete_health:max')), 'health'),
          g.tableQuery(d.byTable('%s and on (%s) %s > 0' % [
            d.ofServer('softdelete_deletion_ratio'),
            std.join(', ', d.serverLabels + ['datname', 'schemaname', 'relname']),
            d.ofServer('table:softdelete_health:max'),
          ]), 'ratio'),
          g.tableQuery(d.byTable('%s and on (%s) %s > 0' % [
            d.ofServer('softdelete_old_deleted_rows'),
            std.join(', ', d.serverLabels + ['datname', 'schemaname', 'relname']),
            d.ofServer('table:softdelete_health:max'),
          ]), 'old'),
        ],
        [
          healthColumn,
          { field: 'relname', title: 'Table', link: d.tableLink },
          { field: 'schemaname', title: 'Schema' },
          { field: 'datname', title: 'Database', link: d.databaseLink },
          { field: d.server, title: 'Server' },
          { field: 'table_service', title: 'Service' },
          { field: 'ratio', title: 'Deleted', unit: 'percentunit', steps: d.ratioSteps, width: 110 },
          { field: 'old', title: 'Past retention', unit: 'short', steps: d.oldSteps, width: 130 },
        ],
        'Health',
      ),

      g.row('History'),

      g.stateTimeline('Health of the servers', "The worst verdict of each server's databases and connection over time.", [
        g.query(d.ofServer('instance:softdelete_health:max'), '{{%s}}' % d.server),
      ]) + d.healthColors,

      g.timeseries('Response time', 'Response time of a SELECT 1 on an open connection.', [
        g.query(d.ofServer('db_response_ms'), '{{%s}}' % d.server),
      ]) + g.unit('ms') + g.thresholds(d.responseSteps, 'line'),

      g.timeseries('Deleted rows by server', 'Soft-deleted rows in all watched tables.', [
        g.query(d.by([], d.ofServer('softdelete_deleted_rows'), 'sum'), '{{%s}}' % d.server),
      ]) + g.stacked,

      g.timeseries('Deleted rows past retention by server', 'Soft-deleted rows that should have been purged.', [
        g.query(d.by([], d.ofServer('softdelete_old_deleted_rows'), 'sum'), '{{%s}}' % d.server),
      ]) + g.stacked,
    ],
  )
