#!/usr/bin/env bash
# Runs groups of tests, each to its end whatever failed before it, and ends with a list
# of what failed:
#
#   scripts/test.sh unit|e2e ...
set -uo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT # to go test a Ctrl-C is a failure like any other
failed=() # the commands that did

run() {
  "$@" 2>&1 | tee -a "$output"
  [ "${PIPESTATUS[0]}" = 0 ] || failed+=("$*")
}

for group in "$@"; do
  case $group in
  unit)
    run scripts/tools.sh test
    # sampling is arithmetic in one goroutine: the race detector has nothing to find there,
    # and takes eight times as long for it.
    mapfile -t others < <(go list ./... | grep -v '/sampling$')
    run go test -race -timeout 30m "${others[@]}"
    run go test ./sampling ;;
  e2e)
    run scripts/tools.sh jsonnet e2e
    run go test -tags e2e -timeout 60m ./e2e/... ./mixin ;;
  *) echo "usage: scripts/test.sh unit|e2e ..." >&2; exit 2 ;;
  esac
done

[ ${#failed[@]} -gt 0 ] || exit 0
printf '\n== failed\n'
printf '%.70s\n' "${failed[@]}"
awk '
  /^ *--- FAIL: /          { tests = tests "\n    " $3 }
  /^panic: test timed out/ { tests = tests "\n    " $0 }
  /^FAIL\t/                { print "  " $2 tests; tests = "" }
' "$output"
exit 1
