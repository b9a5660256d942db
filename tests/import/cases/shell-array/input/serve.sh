#!/usr/bin/env bash
# Serves the large model.
set -eu
BIN=${LLAMA_BIN:-/opt/llama/bin}
MODELS="/mnt/weights"
export OMP_NUM_THREADS=8
ARGS=(
  --model "$MODELS/hornfels 30b/hornfels-30b-Q4_K_M-00001-of-00002.gguf"
  --ctx-size 65536 --parallel 1   # one request at a time
  --n-gpu-layers 99
  --override-tensor 'blk\.(1|2)\.ffn_.*_exps=CPU'
)
ARGS+=(--chat-template-kwargs '{"enable_thinking":false}')
EXTRA="--top-k 20 --repeat-penalty 1.05"

cd /var/lib/llm
unset DEBUG
"$BIN/llama-server" "${ARGS[@]}" $EXTRA --grammar-file rules/json.gbnf --port 8600 >> /var/log/hornfels.log 2>&1
