#!/usr/bin/env bash
# What a visitor experiences: clones HEAD into a temporary folder and times each step from there to sessions on screen,
# with a limit of eight minutes, then runs all tests.
# Usage: scripts/clean-clone-test.sh [demo|tests|all]   (all unless told otherwise)
#
# cargo's and npm's download caches of this machine are used; an empty CARGO_HOME and npm_config_cache take them away.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
what="${1:-all}"
case "$what" in demo | tests | all) ;; *)
    echo "usage: scripts/clean-clone-test.sh [demo|tests|all]" >&2
    exit 2
    ;;
esac
limit=480 # seconds from clone to sessions

work=$(mktemp -d)
demo=""
finish() {
    # The process that this script started, and nothing else.
    if [ -n "$demo" ]; then kill "$demo" 2> /dev/null || true; wait "$demo" 2> /dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

clone="$work/threadline"
unset CARGO_TARGET_DIR
times=()

# timed NAME COMMAND…: runs it, keeps its output, remembers how long it took.
timed() {
    local name=$1 started=$SECONDS
    shift
    if ! "$@" > "$work/log" 2>&1; then
        tail -n 60 "$work/log"
        echo "clean clone: '$name' failed" >&2
        exit 1
    fi
    times+=("$(printf '%4d s  %s' $((SECONDS - started)) "$name")")
    echo "${times[-1]}"
}

# Waits until the demo shows sessions: its address from --announce, its first administrator by the one-time link.
sessions_appear() {
    local deadline=$((SECONDS + 60)) data="$work/data" announced="$work/announce.json"
    "$clone/target/release/threadline" demo --data "$data" --listen 127.0.0.1:0 --console 127.0.0.1:0 \
        --announce "$announced" > "$work/demo.log" 2>&1 &
    demo=$!
    until [ -s "$announced" ]; do
        if ! kill -0 "$demo" 2> /dev/null || [ $SECONDS -gt $deadline ]; then
            cat "$work/demo.log"
            return 1
        fi
        sleep 0.2
    done
    node - "$announced" "$data/first-run-token" << 'JAVASCRIPT'
const { readFileSync } = require("node:fs");
const [announced, token] = process.argv.slice(2);
const { console_url } = JSON.parse(readFileSync(announced, "utf8"));
const api = new URL("/api/v1/", console_url);
const headers = { "content-type": "application/json", origin: api.origin };
async function main() {
  const body = JSON.stringify({ token: readFileSync(token, "utf8").trim(), name: "visitor", password: "a long visit, timed" });
  const first = await fetch(new URL("first-run", api), { method: "POST", headers, body });
  if (!first.ok) throw new Error(`first-run: ${first.status} ${await first.text()}`);
  const cookie = first.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(new URL("sessions?last=15m", api), { headers: { cookie } });
    if (!answer.ok) throw new Error(`sessions: ${answer.status} ${await answer.text()}`);
    const { total } = await answer.json();
    if (total >= 5) return console.log(`${total} sessions`);
    if (Date.now() > deadline) throw new Error(`only ${total} sessions after a minute`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
main().catch((error) => { console.error(error.message); process.exit(1); });
JAVASCRIPT
    kill "$demo"
    wait "$demo"
    demo=""
}

timed "git clone" git clone --quiet --no-hardlinks "$repository" "$clone"
cd "$clone"

if [ "$what" != tests ]; then
    timed "make deps (packages from npm)" make deps
    timed "make console" make console
    timed "make build (release)" make build
    timed "demo: from start to five sessions" sessions_appear
    printf '%4d s  from clone to sessions, limit %d s\n' "$SECONDS" "$limit"
    if [ "$SECONDS" -gt "$limit" ]; then
        echo "clean clone: too slow" >&2
        exit 1
    fi
fi
if [ "$what" != demo ]; then
    # Shown as it runs: it is long, and its steps are timed by itself.
    bash .ci/run < /dev/null
fi
