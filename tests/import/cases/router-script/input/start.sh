#!/bin/bash
# One router in front of all presets.
set -euo pipefail
PRESETS=/etc/llm/presets.ini
export GGML_CUDA_ENABLE_UNIFIED_MEMORY=1
exec /usr/bin/llama-server \
  --models-preset "$PRESETS" \
  --models-max 2 \
  --host 0.0.0.0 --port 9300 \
  --api-key-file /etc/llm/keys.txt \
  --temp 0.2
