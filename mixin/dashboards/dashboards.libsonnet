// The dashboards: fleet, database and table, one file each.
{
  local dashboards = self,

  grafanaDashboards+:: {
    'softdelete-fleet.json': (import 'fleet.libsonnet')(dashboards._config),
    'softdelete-database.json': (import 'database.libsonnet')(dashboards._config),
    'softdelete-table.json': (import 'table.libsonnet')(dashboards._config),
  },
}
