#!/usr/bin/env bash
# Builds every fuzz target once and runs each for an equal share of the time.
# Usage: scripts/fuzz.sh SECONDS [TARGET …]
#
# Starts from committed seeds (fuzz/seeds/TARGET, testdata) and from what earlier runs found on this machine
# (fuzz/corpus/TARGET). An input that crashes, hangs for ten seconds or takes 1 GiB of memory is kept in
# fuzz/artifacts/TARGET and the run fails. Ends with "fuzz: N targets passed, N failed".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../fuzz"

seconds=${1:?usage: scripts/fuzz.sh SECONDS [TARGET …]}
shift
if ! [[ "$seconds" =~ ^[1-9][0-9]*$ ]]; then
    echo "fuzz: SECONDS must be a whole number above 0, not '$seconds'" >&2
    exit 2
fi

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^path = "targets\/\(.*\)\.rs"$/\1/p' Cargo.toml)
fi
share=$((seconds / ${#targets[@]}))
if [ "$share" -lt 1 ]; then share=1; fi

cargo build --release --locked --quiet
host=$(rustc -vV | sed -n 's/^host: //p')
binaries="${CARGO_TARGET_DIR:-target}/$host/release"
logs="${CARGO_TARGET_DIR:-target}/logs"
mkdir -p "$logs"

# Folders with cases that suit a target, besides its own seeds.
cases_of() {
    case "$1" in
        har) echo ../testdata/har ;;
        decode_ipc) echo ../testdata/record ;;
    esac
}

passed=0
failed=0
for target in "${targets[@]}"; do
    if ! [ -x "$binaries/$target" ]; then
        echo "fuzz: there is no target '$target' in fuzz/Cargo.toml" >&2
        exit 2
    fi
    mkdir -p "corpus/$target" "artifacts/$target"
    folders=("corpus/$target")
    for folder in "seeds/$target" $(cases_of "$target"); do
        if [ -d "$folder" ]; then folders+=("$folder"); fi
    done
    options=(-max_total_time="$share" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="artifacts/$target/")
    if [ -f "dictionaries/$target.dict" ]; then options+=(-dict="dictionaries/$target.dict"); fi

    log="$logs/$target.log"
    if "$binaries/$target" "${options[@]}" "${folders[@]}" > "$log" 2>&1; then
        passed=$((passed + 1))
        verdict=""
    else
        failed=$((failed + 1))
        verdict="  FAILED"
    fi
    # "#1234 NEW cov: 321 ft: 400 …": covered edges with the seeds, and at the end.
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    first=$(sed -n 's/^.*INITED cov: \([0-9]*\).*/\1/p' "$log")
    last=$(sed -n 's/^#.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
    printf '%-15s %3d s %10s runs  covered edges %5s -> %5s%s\n' "$target" "$share" "${runs:--}" "${first:--}" "${last:--}" "$verdict"
    if [ -n "$verdict" ]; then
        grep -v '^#' "$log" | tail -n 40
        echo "Run the input again: cd fuzz && cargo run --release --bin $target -- artifacts/$target/FILE"
    fi
done

echo "fuzz: $passed targets passed, $failed failed"
[ "$failed" -eq 0 ]
