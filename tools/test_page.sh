#!/usr/bin/env bash
# Tests the page: its logic, then in a browser on servers that misbehave on purpose, then, if one is
# named, on a real server.
# Usage: tools/test_page.sh [SERVER]
#   SERVER: the URL of one that serves an Energy-Based Transformer, or the program ebt, which then
#   trains a tiny model and serves it
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

server=${1:-}
work=$(mktemp -d)
pid=
clean_up() {
  [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

# start_server EBT: serves a tiny model; sets url and pid.
start_server() {
  local ebt=$1 port
  "$ebt" train --data docs --size 4xs --steps 100 --batch 4 --context 128 --out "$work/model" >/dev/null
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close(); })')
  "$ebt" serve --model "$work/model" --port "$port" 2>"$work/log" &
  pid=$!
  url=http://127.0.0.1:$port/
  for _ in {1..100}; do
    if node -e "fetch('${url}healthz').then((r) => process.exit(!r.ok), () => process.exit(1))"; then
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  fail "the server did not start: $(cat "$work/log")"
}

[[ -z $server || $server == http* || -x $server ]] || fail "'$server' is neither a URL nor a program"
install_missing "${page_packages[@]}"
say "Testing the logic of the page"
(cd web && npm test --silent)

say "Testing the page in a browser"
(cd tests/browser && npm ci --silent --no-audit --no-fund && npm test --silent)

[[ -n $server ]] || exit 0
url=$server
[[ $server == http* ]] || start_server "$server"
say "Testing the page on $url"
(cd tests/browser && BASE_URL=$url node --test page.test.mjs) || {
  [[ -z $pid ]] || cat "$work/log" >&2
  exit 1
}
if [[ -n $pid ]]; then
  kill "$pid"
  wait "$pid" || fail "the server ended with an error: $(cat "$work/log")"
  pid=
fi
