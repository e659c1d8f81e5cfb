#!/usr/bin/env bash
# Installs what tests need and a fresh machine lacks, from Debian's packages, and says what it installs.
# Silent when everything is there. Usage: scripts/install-test-tools.sh tests|fuzz|bench …
set -euo pipefail

packages=()

# need COMMAND PACKAGE: the first of several commands separated by | is enough.
need() {
    local command
    for command in ${1//|/ }; do
        if command -v "$command" > /dev/null; then return; fi
    done
    packages+=("$2")
}

fail() {
    echo "install-test-tools: $1" >&2
    exit 1
}

for purpose in "$@"; do
    case "$purpose" in
        tests)
            need "${CHROMIUM:-/usr/bin/chromium}" chromium # Playwright drives it; see console/e2e/browser.ts
            ;;
        fuzz)
            need 'c++|g++|clang++' g++ # libFuzzer is C++
            ;;
        bench)
            need nginx nginx-light # the proxy's yardstick
            need wrk wrk
            need valgrind valgrind # counts instructions
            ;;
        *) fail "unknown purpose '$purpose' (tests, fuzz or bench)" ;;
    esac
done

if [ ${#packages[@]} -eq 0 ]; then exit 0; fi

if ! command -v apt-get > /dev/null; then
    fail "please install ${packages[*]}: there is no apt-get here that could do it."
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    # -n: asks for no password; where one is needed, people decide themselves.
    if ! sudo -n true 2> /dev/null; then
        fail "please run 'sudo apt-get install ${packages[*]}': it needs root."
    fi
    as_root=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "install-test-tools: installing ${packages[*]} from Debian's packages"
if ! { "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${packages[@]}"; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install ${packages[*]}; its last lines are above."
fi
