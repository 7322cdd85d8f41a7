// The softdelete_exporter mixin: makes alerts, recording rules and dashboards from the health limits. README.md
// explains how to override each part.
(import 'config.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'rules/rules.libsonnet') +
(import 'dashboards/dashboards.libsonnet')
