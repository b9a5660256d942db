#!/usr/bin/env python3
"""Write sparse models of up to 10 GB, to measure the memory of llama-server on devices: offloaded.py OUT_DIR

The software driver of the rig computes with tensors and results of at most 128 MiB, so vocabularies are small.
"""
import sys
from pathlib import Path

from gguf import GGMLQuantizationType as Type

sys.dont_write_bytecode = True  # no __pycache__ in the repository

from kinds import llama, qwen3moe


def main():
    out = Path(sys.argv[1])
    llama(out, "big-llama", Type.Q8_0, 28, 5120, 13824, 40, 8, 128, vocab=16000)
    qwen3moe(out, "big-qwen3moe", Type.Q4_K, 20, 2048, 768, 32, 4, 128, 128, 8, vocab=32000)


if __name__ == "__main__":
    main()
