#!/usr/bin/env bash
# Tests the server under 64 clients at once, of which some are slow, leave, or send nonsense.
# Usage: tools/test_load.sh [SECONDS] [EBT]     default: 60 build/release/ebt
# EBT may be a build with sanitizers (presets asan and tsan): what they find fails the test.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh
source tools/tiny_server.sh

seconds=${1:-60}
ebt=$(realpath "${2:-build/release/ebt}")
command -v node >/dev/null || install_missing nodejs

# libgomp's own synchronisation is invisible to ThreadSanitizer: one thread computes.
export OMP_NUM_THREADS=1
if ldd "$ebt" | grep -qE 'lib[at]san'; then
  say "The program has sanitizers: its memory is not compared"
  export SANITIZED=1
fi
export TSAN_OPTIONS="halt_on_error=1 exitcode=66 ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="exitcode=66 ${ASAN_OPTIONS:-}"
export EBT_API_KEY=secret
start_tiny_server "$ebt" --texts 8 --queue 40
say "Loading the server for $seconds s"
BASE_URL="$url" node tests/serve/load_client.mjs "$seconds" 64 ||
  { cat "$server_folder/log" >&2; exit 1; }
stop_tiny_server
