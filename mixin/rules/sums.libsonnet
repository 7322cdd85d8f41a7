// Deleted, old and overdue for years, where the series of every table would be too many:
// by database and service. Tables of no service have no label table_service.
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
    // How long the oldest deleted row has been past its retention; 0 when none is.
    sum('softdelete_overdue_seconds', 'max', 'clamp_min(%s, 0)' % p.overdue),
  ]
