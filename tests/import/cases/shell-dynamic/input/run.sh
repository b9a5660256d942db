#!/bin/bash
source /etc/llm/local.sh
THREADS=$(nproc --all)
/opt/llama/bin/llama-server -m /mnt/weights/pyrite-8b-Q4_K_M.gguf --port 8901 -c 8192 -np 1 -t "$THREADS" --temp 0.3 --api-key "$SECRET_KEY" &
/opt/llama/bin/llama-server -m "$1" --port 8902 -c 4096 -np 1 &
if [ -e /mnt/extra ]; then
  /opt/llama/bin/llama-server -m /mnt/extra/chlorite-3b.gguf --port 8903 -c 4096 -np 1 &
fi
wait
