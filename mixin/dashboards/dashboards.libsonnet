// The dashboards: fleet, database and table, one file each.
local settings = import '../lib/settings.libsonnet';

{
  local dashboards = self,

  grafanaDashboards+:: {
    local config = settings(dashboards._config),
    'softdelete-fleet.json': (import 'fleet.libsonnet')(config),
    'softdelete-database.json': (import 'database.libsonnet')(config),
    'softdelete-table.json': (import 'table.libsonnet')(config),
  },
}
