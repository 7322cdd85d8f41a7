// The dashboards: from the fleet to a database to a table, one file each.
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
