#!/usr/bin/env bash
# Adds up the closing lines of test runners in log files and prints "N passed, N failed".
# Usage: scripts/tally.sh STATUS LOG…   A STATUS other than 0 counts as a failure where no runner counted one, so that a
# step which died before its tests is never reported as "0 failed".
set -euo pipefail

status=$1
shift
# Runners colour their output when told to; the numbers are what counts.
sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$@" | awk -v status="$status" '
    function take(word,    i) {
        for (i = 2; i <= NF; i++) if ($i ~ "^" word "[;,)]?$" && $(i - 1) ~ /^[0-9]+$/) return $(i - 1) + 0
        return 0
    }
    # cargo test: "test result: ok. 12 passed; 0 failed; 1 ignored; …"
    /^test result: / { passed += take("passed"); failed += take("failed"); next }
    # vitest: "      Tests  2 failed | 10 passed (12)"
    /^ *Tests  .*\([0-9]+\)$/ { passed += take("passed"); failed += take("failed"); next }
    # Playwright: "  10 passed (12.3s)", "  1 failed"
    /^  [0-9]+ passed \([0-9.]+[a-z]+\)$/ { passed += $1; next }
    /^  [0-9]+ failed$/ { failed += $1; next }
    # scripts/fuzz.sh: "fuzz: 9 targets passed, 1 failed"
    /^fuzz: [0-9]+ targets passed, [0-9]+ failed$/ { passed += $2; failed += $5; next }
    END {
        if (status != 0 && failed == 0) failed = 1
        printf "%d passed, %d failed\n", passed, failed
    }'
