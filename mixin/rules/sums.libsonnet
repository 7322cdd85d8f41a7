// Deleted, old and overdue rows by database and service, to be kept for years, for which the series of every table
// would be too many. Tables without a service have no label table_service.
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local sum(metric, operation, expr) = {
    record: 'database_service:%s:%s' % [metric, operation],
    expr: p.by(p.databaseLabels + ['table_service'], p.withService(expr), operation),
  };
  [
    sum('softdelete_deleted_rows', 'sum', p.ofTable('softdelete_deleted_rows')),
    sum('softdelete_old_deleted_rows', 'sum', p.ofTable('softdelete_old_deleted_rows')),
    // How long ago the oldest deleted row passed its retention, at least; 0 if no row has.
    sum('softdelete_overdue_seconds', 'max', 'clamp_min(%s, 0)' % p.overdue),
  ]
