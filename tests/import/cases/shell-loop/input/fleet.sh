#!/bin/bash
serve() {
  local name=$1 port=$2
  shift 2
  /opt/llama/bin/llama-server -m "/mnt/weights/$name.gguf" --port "$port" --alias "$name" -np 1 "$@" &
}
serve kaolin-1b 8801 -c 2048
for entry in marlstone:8802 peridot:8803; do
  serve "${entry%%:*}" "${entry##*:}" -c 4096 --no-warmup
done
wait
