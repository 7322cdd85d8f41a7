#!/usr/bin/env bash
# Formats and compiles the mixin: alerts.yaml, rules.yaml,
# inhibit_rules.yaml, dashboards/*.json and the README's list of alerts.
set -euo pipefail
cd "$(dirname "$0")"

for tool in jsonnet jsonnetfmt; do
  command -v "$tool" >/dev/null || {
    echo "generate.sh: $tool is not on PATH: go install github.com/google/go-jsonnet/cmd/$tool@latest" >&2
    exit 1
  }
done

sources=(*.jsonnet *.libsonnet */*.jsonnet */*.libsonnet */*/*.libsonnet)
jsonnetfmt --in-place "${sources[@]}"
jsonnet --string --multi . compile.jsonnet >/dev/null
