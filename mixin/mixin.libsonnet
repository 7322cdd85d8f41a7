// The softdelete_exporter mixin: health limits turned into alerts, recording
// rules and dashboards. README.md says how to override any of it.
(import 'config.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'rules/rules.libsonnet') +
(import 'dashboards/dashboards.libsonnet')
