#!/usr/bin/env python3
"""Write tiny models for each kind of draft: drafts.py FOLDER

`base` is the target of `eagle3`, `dflash` and `dspark`. `mtp` drafts with its own layer for multi-token prediction, and
`mtp-only` has only such a layer, for `mtp` as its target. A real llama-server drafts with each of them.
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ in the repository

from shape import FLOAT, heads
from tiny import Tiny

HEADS = heads(4, 2, 16)


def base(out, name):
    s = Tiny(out, name, "qwen3", FLOAT, 4, 64, 128, context=4096, rope__freq_base=1e6, **HEADS)
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_norm", "attn_k_norm", width=16)
        s.attention(4, 2, 16)
        s.ffn()
    s.save()


def eagle3(out, name):
    s = Tiny(out, name, "eagle3", FLOAT, 1, 64, 128, context=4096, rope__freq_base=1e6, target_layers=[1, 2, 3],
             target_hidden_size=64, **HEADS)
    s.tensor("fc.weight", 64, 3 * 64)
    s.norms("output_norm")
    s.tensor("output.weight", s.vocab, 64)
    for _ in s.each_layer():
        s.norms("attn_norm", "attn_norm_2", "ffn_norm")
        s.tensor("attn_q.weight", 64, 2 * 64)
        s.tensor("attn_k.weight", 32, 2 * 64)
        s.tensor("attn_v.weight", 32, 2 * 64)
        s.tensor("attn_output.weight", 64, 64)
        s.ffn()
    s.save()


def dflash(out, name, markov_rank=None):
    s = Tiny(out, name, "dflash", FLOAT, 1, 64, 128, context=4096, rope__freq_base=1e6, target_layers=[1, 2],
             block_size=8, **HEADS)
    s.w.add_mask_token_id(0)
    s.tensor("fc.weight", 64, 2 * 64)
    s.norms("enc.output_norm", "output_norm")
    if markov_rank:
        s.tensor("markov_w1.weight", s.vocab, markov_rank)
        s.tensor("markov_w2.weight", s.vocab, markov_rank)
        s.tensor("conf_proj.weight", 1, 64 + markov_rank)
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_norm", "attn_k_norm", width=16)
        s.attention(4, 2, 16)
        s.ffn()
    s.save()


def mtp(out, name, has_trunk=True, state=16, k_heads=2, v_heads=4):
    """Four layers, of which the last has attention, and one for multi-token prediction."""
    s = Tiny(out, name, "qwen35", FLOAT, 5, 64, 128, context=4096, rope__freq_base=1e6, rope__dimension_count=16,
             rope__dimension_sections=[4, 2, 2, 0], ssm__conv_kernel=4, ssm__inner_size=state * v_heads,
             ssm__state_size=state, ssm__time_step_rank=v_heads, ssm__group_count=k_heads, nextn_predict_layers=1, **HEADS)
    s.embeddings()
    keys, values = state * k_heads, state * v_heads
    for i in s.each_layer():
        if i < 4 and not has_trunk:
            continue
        s.norms("attn_norm", "post_attention_norm")
        if i >= 3:
            s.attention(4, 2, 16, query=2 * 64)
            s.norms("attn_q_norm", "attn_k_norm", width=16)
        else:
            s.tensor("attn_qkv.weight", 2 * keys + values, 64)
            s.tensor("attn_gate.weight", values, 64)
            s.tensor("ssm_conv1d.weight", 2 * keys + values, 4)
            s.tensor("ssm_dt.bias", v_heads)
            s.tensor("ssm_a", v_heads)
            s.tensor("ssm_beta.weight", v_heads, 64)
            s.tensor("ssm_alpha.weight", v_heads, 64)
            s.norms("ssm_norm", width=state)
            s.tensor("ssm_out.weight", 64, values)
        s.ffn()
        if i == 4:
            s.tensor("nextn.eh_proj.weight", 64, 2 * 64)
            s.norms("nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm")
    s.save()


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    base(out, "base")
    eagle3(out, "eagle3")
    dflash(out, "dflash")
    dflash(out, "dspark", markov_rank=16)
    mtp(out, "mtp")
    mtp(out, "mtp-only", has_trunk=False)


if __name__ == "__main__":
    main()
