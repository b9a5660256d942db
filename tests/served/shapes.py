#!/usr/bin/env python3
"""Write GGUF models of many architectures and sizes, with zeros as weights, to measure the memory of llama-server.

    pip install gguf==0.19.0 numpy
    shapes.py OUT_DIR

A real llama-server loads each of them. The files are sparse: a header, and a hole instead of the weights. Models of real
size therefore use only some MiB on disk. The same version of gguf writes the same bytes.
"""
import sys
from pathlib import Path

import gguf
from gguf import GGMLQuantizationType as Type

sys.dont_write_bytecode = True  # no __pycache__ in the repository

from kinds import (bert, cohere2, deepseek2, falcon_h1, gemma, gpt_oss, granite_hybrid, jamba, lfm2, llama, llama4, mamba,
                   mamba2, modern_bert, nemotron_h, openelm, plain, qwen35, qwen3moe, qwen3next, rwkv7)
from shape import HALF


def small(out):
    """Models with embedding lengths of a few hundred, so that large matrices do not hide small differences."""
    for kind, word in ((HALF, "f16"), (Type.Q4_0, "q4_0"), (Type.Q8_0, "q8_0"), (Type.Q4_K, "q4_k")):
        llama(out, f"llama-{word}", kind, 8, 512, 1536, 8, 4, 64)
    llama(out, "llama-tied", Type.Q4_K, 12, 768, 2048, 12, 4, 64, tied=True, embd_kind=Type.Q6_K, down_kind=Type.Q6_K,
          vocab=4096)
    llama(out, "llama-odd", Type.Q4_0, 8, 480, 1376, 8, 8, 64, vocab=515)
    qwen3moe(out, "qwen3moe", Type.Q4_K, 8, 512, 256, 8, 2, 64, 32, 8)
    gemma(out, "gemma2", "gemma2", Type.Q8_0, 8, 512, 1024, 8, 4, 64, 1024)
    gemma(out, "gemma3", "gemma3", Type.Q4_0, 12, 640, 2048, 4, 1, 256, 512, vocab=2048)
    gpt_oss(out, "gpt-oss", Type.Q8_0, 8, 512, 512, 16, 4, 64, 16, 4, 128)
    cohere2(out, "cohere2", Type.Q8_0)
    llama4(out, "llama4", Type.Q4_K)
    deepseek2(out, "deepseek2", Type.Q4_0, latent=True)
    deepseek2(out, "deepseek2-whole", Type.Q4_0, latent=False)
    mamba(out, "mamba", Type.Q8_0)
    mamba2(out, "mamba2", Type.Q8_0)
    falcon_h1(out, "falcon-h1", Type.Q4_0)
    granite_hybrid(out, "granitehybrid", Type.Q8_0)
    jamba(out, "jamba", Type.Q8_0)
    qwen3next(out, "qwen3next", Type.Q8_0)
    lfm2(out, "lfm2", Type.Q4_0)
    rwkv7(out, "rwkv7", HALF)
    openelm(out, "openelm", Type.Q8_0)
    bert(out, "bert", "bert", HALF, 6, 384, 1536, 12, 4096)
    bert(out, "nomic-bert", "nomic-bert", HALF, 6, 384, 1536, 6, 4096, 2048, gguf.PoolingType.MEAN)


def variants(out):
    """Architectures that differ little from others."""
    post_norms = ("post_attention_norm", "post_ffw_norm")
    for arch in ("mistral3", "internlm2", "smollm3", "xverse", "ernie4_5"):
        plain(out, arch)
    plain(out, "seed_oss", norms=("attn_norm", "post_attention_norm"))
    plain(out, "qwen2vl", rope__dimension_sections=[16, 24, 24, 0])
    plain(out, "qwen3vl", qk_norm="head", rope__dimension_sections=[16, 24, 24, 0], n_deepstack_layers=3)
    plain(out, "granite", embedding_scale=12.0, residual_scale=0.25, attention__scale=0.0625, logit_scale=8.0)
    plain(out, "deepseek", experts=16, shared=1024, dense=1, q=8, kv=8)
    plain(out, "glm4moe", norms=("attn_norm", "post_attention_norm"), qk_norm="head", experts=16, shared=1024, dense=1,
          expert_bias=True, expert_gating_func=2)
    plain(out, "minimax-m2", qk_norm="row", experts=16, expert_bias=True, expert_gating_func=2)
    plain(out, "gemma", tied=True)
    plain(out, "gemma-embedding", norms=("attn_norm", "ffn_norm", *post_norms), tied=True, qk_norm="head", layers=12,
          attention__sliding_window=512, attention__causal=False, pooling_type=int(gguf.PoolingType.MEAN))
    plain(out, "olmo2", norms=post_norms, qk_norm="row")
    plain(out, "exaone4", norms=post_norms, qk_norm="head", layers=8, attention__sliding_window=512)
    plain(out, "chatglm", fused_qkv=True, ffn="fused")
    plain(out, "glm4", norms=("attn_norm", "ffn_norm", *post_norms), ffn="fused")
    plain(out, "arcee", ffn="ungated")
    plain(out, "stablelm", biases=True)
    plain(out, "command-r", norms=("attn_norm",), tied=True, logit_scale=0.0625)
    nemotron_h(out, "nemotron_h")
    qwen35(out, "qwen35")
    qwen35(out, "qwen35moe", moe=True)
    modern_bert(out, "modern-bert")


def large(out):
    """Models with the widths and vocabularies of real models; sparse files of some GB."""
    llama(out, "large-llama", Type.Q4_K, 8, 4096, 12288, 32, 8, 128, embd_kind=Type.Q6_K, vocab=151936)
    qwen3moe(out, "large-qwen3moe", Type.Q4_K, 8, 2048, 768, 32, 4, 128, 128, 8, vocab=151936)
    gemma(out, "large-gemma3", "gemma3", Type.Q4_0, 12, 3840, 15360, 16, 8, 256, 1024, vocab=262144)
    deepseek2(out, "large-deepseek2", Type.Q4_K, latent=True, layers=4, embd=2048, ff=10944, q=16, experts=64, used=6,
              rank=512, rope=64, nope=128, value=128, query_rank=1536, expert_ff=1536, vocab=102400)
    bert(out, "large-bert", "bert", HALF, 24, 1024, 4096, 16, 30522)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    small(out)
    variants(out)
    large(out)


if __name__ == "__main__":
    main()
