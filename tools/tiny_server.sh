# Sourced by tests that need a running server: starts one on a tiny model of text, and on one of images
# if tiny_image_model says how to train it. Both may be set before start_tiny_server is called.
source tools/dependencies.sh

tiny_model=(--layers 1 --width 16 --heads 2 --context 256 --batch 4 --steps 30 --threads 1)
tiny_image_model=()

server=
server_folder=$(mktemp -d)

# However the script ends, nothing of it stays.
clean_up() {
  [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$server_folder"
}
trap clean_up EXIT

# prepare_clients EBT: for clients that run in Node and abuse the server; sets $ebt. The program may be a
# build with sanitizers (presets asan and tsan): what they find ends it.
prepare_clients() {
  ebt=$(realpath "$1")
  command -v node >/dev/null || install_missing nodejs
  if ldd "$ebt" | grep -qE 'lib[at]san'; then
    say "The program has sanitizers: its memory is not compared"
    export SANITIZED=1
  fi
  # libgomp's own synchronisation is invisible to ThreadSanitizer: one thread computes.
  export OMP_NUM_THREADS=1
  export TSAN_OPTIONS="halt_on_error=1 exitcode=66 ${TSAN_OPTIONS:-}"
  export ASAN_OPTIONS="exitcode=66 ${ASAN_OPTIONS:-}"
  export EBT_API_KEY=secret
}

# start_tiny_server EBT [FLAG...]: sets $url, with a slash at its end, and $server, its process.
start_tiny_server() {
  local ebt=$1
  shift
  local images=()
  say "Training a tiny model and serving it"
  if ((${#tiny_image_model[@]})); then
    "$ebt" train image "${tiny_image_model[@]}" --out "$server_folder/images" >/dev/null 2>"$server_folder/log" ||
      fail "training on images failed: $(cat "$server_folder/log")"
    images=(--image-model "$server_folder/images")
  fi
  "$ebt" train --data docs/formats.md "${tiny_model[@]}" --out "$server_folder/model" >/dev/null 2>"$server_folder/log" ||
    fail "training failed: $(cat "$server_folder/log")"
  : >"$server_folder/out"
  "$ebt" serve --model "$server_folder/model" "${images[@]}" --port 0 --threads 1 "$@" \
    >"$server_folder/out" 2>"$server_folder/log" &
  server=$!
  for _ in {1..300}; do
    url=$(sed -n 's/^Listening on //p' "$server_folder/out")
    [[ -z $url ]] || return 0
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$server_folder/log")"
    sleep 0.2
  done
  fail "the server did not start: $(cat "$server_folder/log")"
}

# Ends the server as an operator would, and expects that it ends well.
stop_tiny_server() {
  kill -TERM "$server"
  wait "$server" || fail "the server ended with an error: $(cat "$server_folder/log")"
  server=
}
