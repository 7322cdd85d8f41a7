// The dashboards, one file each.
local settings = import '../lib/settings.libsonnet';

{
  local dashboards = self,

  // Tools that install mixins put the dashboards into this folder.
  grafanaDashboardFolder:: dashboards._config.dashboards.folder,

  grafanaDashboards+:: {
    local config = settings(dashboards._config),
    'softdelete-fleet.json': (import 'fleet.libsonnet')(config),
    'softdelete-database.json': (import 'database.libsonnet')(config),
    'softdelete-retention.json': (import 'retention.libsonnet')(config),
    'softdelete-exporter.json': (import 'exporter.libsonnet')(config),
    'softdelete-table.json': (import 'table.libsonnet')(config),
  },
}
