#!/usr/bin/env bash
# All tests, step by step, each a make target. Stops at the first step that fails. Ends with how long each step took
# and, on a line of its own, "N passed, N failed" over cargo test, vitest, Playwright and the fuzz targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

steps=(test-tools lint deny test-rust check test-console test-browser fuzz)

logs="${CARGO_TARGET_DIR:-target}/test-logs"
rm -rf "$logs"
mkdir -p "$logs"

result=0
times=()
for step in "${steps[@]}"; do
    printf '\n=== make %s\n' "$step"
    started=$SECONDS
    # Given to people's own `make test-rust`, ARGS chooses tests; here everything runs.
    make --no-print-directory "$step" ARGS= 2>&1 | tee "$logs/$step.log" || result=$?
    times+=("$(printf '%4d s  make %s' $((SECONDS - started)) "$step")")
    if [ "$result" -ne 0 ]; then
        times[-1]+="  FAILED"
        break
    fi
done

printf '\n'
printf '%s\n' "${times[@]}"
printf '%4d s  in all\n' "$SECONDS"
scripts/tally.sh "$result" "$logs"/*.log
exit "$result"
