#!/usr/bin/env bash
# Fuzzes the framing of requests, at the server and through nginx with kept connections to it: no answer
# may reach the wrong client, and nothing that is sent may stay in memory.
# Usage: tools/test_proxy.sh [COUNT] [EBT]     requests of each fuzzing; default: 3000 build/release/ebt
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/tiny_server.sh

count=${1:-3000}
prepare_clients "${2:-build/release/ebt}"
PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || install_missing "${proxy_packages[@]}"

nginx=
stop_nginx() {
  [[ -z $nginx ]] || kill -QUIT "$nginx" 2>/dev/null || true
  clean_up
}
trap stop_nginx EXIT

# start_nginx ADDRESS: two servers before it, which pass bodies on as they come, and whole.
start_nginx() {
  local folder=$server_folder/nginx
  mkdir -p "$folder"
  proxy_ports=($(node -e "const net = require('node:net');
    const servers = [net.createServer(), net.createServer()];
    for (const server of servers) server.listen(0, '127.0.0.1', () => {
      console.log(server.address().port);
      server.close();
    });"))
  cat >"$folder/nginx.conf" <<END
daemon off;
pid $folder/pid;
error_log $folder/error.log;
worker_processes 1;
$( ((EUID)) || echo "user root;")
events {}
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  client_max_body_size 8m;
  ignore_invalid_headers off;
  underscores_in_headers on;
  upstream ebt {
    server $1;
    keepalive 4;
    keepalive_timeout 10s;
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_next_upstream off;
  server {
    listen 127.0.0.1:${proxy_ports[0]};
    proxy_request_buffering off;
    location / { proxy_pass http://ebt; }
  }
  server {
    listen 127.0.0.1:${proxy_ports[1]};
    location / { proxy_pass http://ebt; }
  }
}
END
  nginx -p "$folder" -c "$folder/nginx.conf" 2>"$folder/out" &
  nginx=$!
  for _ in {1..100}; do
    [[ ! -s $folder/pid ]] || return 0
    sleep 0.1
  done
  fail "nginx did not start: $(cat "$folder/out" "$folder/error.log")"
}

start_tiny_server "$ebt" --queue 1000 --max-body 50000
address=${url#http://}
start_nginx "${address%/}"
say "Fuzzing the framing of requests"
BASE_URL="$url" SERVER_PID="$server" node tests/serve/framing_client.mjs "$count" \
  "http://127.0.0.1:${proxy_ports[0]}/" "http://127.0.0.1:${proxy_ports[1]}/" ||
  { cat "$server_folder/log" "$server_folder/nginx/error.log" | tail -50 >&2; exit 1; }
stop_tiny_server
