// The sums that are kept for years, of two services in a database, and of a table without a service.
local t = import 'promtool.libsonnet';

local table(name, service, facts) = t.table(facts, t.orders { relname: name }, service, 10);
local sum(metric, operation, values) =
  local record = 'database_service:%s:%s' % [metric, operation];
  t.holds(5, record, [
    { metric: record, labels: t.shop { [if service != '' then 'table_service']: service }, value: values[service] }
    for service in std.objectFields(values)
  ]);

[
  t.test(
    'deleted, old and overdue by database and service',
    table('orders', 'checkout', { deleted_rows: 5, old_deleted_rows: 2, retention_seconds: 100, oldest_deleted_timestamp_seconds: 50 })
    + table('carts', 'checkout', { deleted_rows: 7, old_deleted_rows: 3, retention_seconds: 100, oldest_deleted_timestamp_seconds: 150 })
    + table('users', 'accounts', { deleted_rows: 11, old_deleted_rows: 0, retention_seconds: 1000, oldest_deleted_timestamp_seconds: 50 })
    // Of a sampled table.
    + table('carts_archive', 'accounts', { deleted_rows: 1, old_deleted_rows: 1, retention_seconds: 100, oldest_deleted_timestamp_bound_seconds: 120 })
    + table('logs', '', { deleted_rows: 13 }),
    [
      sum('softdelete_deleted_rows', 'sum', { checkout: 12, accounts: 12, '': 13 }),
      sum('softdelete_old_deleted_rows', 'sum', { checkout: 5, accounts: 1 }),
      // This is at second 300.
      sum('softdelete_overdue_seconds', 'max', { checkout: 150, accounts: 80 }),
    ],
  ),
]
