#!/usr/bin/env bash
# Tests the page: its logic, then in a browser on servers that misbehave on purpose, then on the
# real server with a tiny model.
# Usage: tools/test_page.sh [EBT]     EBT: the program; default: build/release/ebt
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

ebt=$(realpath "${1:-build/release/ebt}")
work=$(mktemp -d)
server=
stop() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

install_missing "${page_packages[@]}"
say "Testing the logic of the page"
(cd web && npm test --silent)

say "Testing the page in a browser"
cd tests/browser
npm ci --silent --no-audit --no-fund
npm test --silent

say "Testing the page on the server"
(cd ../.. && "$ebt" train --data docs --size 4xs --steps 20 --batch 4 --context 128 \
  --out "$work/model" >/dev/null)
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
  console.log(s.address().port); s.close(); })')
"$ebt" serve --model "$work/model" --port "$port" 2>"$work/log" &
server=$!
for _ in {1..100}; do
  if node -e "fetch('http://127.0.0.1:$port/healthz').then((r) => process.exit(!r.ok), () => process.exit(1))"; then
    break
  fi
  kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$work/log")"
  sleep 0.2
done
BASE_URL="http://127.0.0.1:$port/" node --test page.test.mjs || { cat "$work/log" >&2; exit 1; }
kill "$server"
wait "$server" || fail "the server ended with an error: $(cat "$work/log")"
server=
