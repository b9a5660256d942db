"""Writers of models, one function per architecture or group of architectures, with sizes as parameters."""
import gguf
from gguf import GGMLQuantizationType as Type

from shape import FLOAT, HALF, Shape, heads


def llama(out, name, kind, layers, embd, ff, q, kv, head, tied=False, embd_kind=None, down_kind=None, **more):
    s = Shape(out, name, "llama", kind, layers, embd, ff, rope__dimension_count=head, **heads(q, kv, head), **more)
    s.embeddings(tied, kind=embd_kind)
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.attention(q, kv, head)
        s.tensor("ffn_gate.weight", ff, embd)
        s.tensor("ffn_up.weight", ff, embd)
        s.tensor("ffn_down.weight", embd, ff, kind=down_kind)
    s.save()


def qwen3moe(out, name, kind, layers, embd, ff, q, kv, head, experts, used, expert_kind=None, **more):
    s = Shape(out, name, "qwen3moe", kind, layers, embd, ff, expert_count=experts, expert_used_count=used,
              expert_feed_forward_length=ff, **heads(q, kv, head), **more)
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_norm", "attn_k_norm", width=head)
        s.attention(q, kv, head)
        s.experts(experts, ff, kind=expert_kind)
    s.save()


def gemma(out, name, arch, kind, layers, embd, ff, q, kv, head, window, **more):
    s = Shape(out, name, arch, kind, layers, embd, ff, attention__sliding_window=window, **heads(q, kv, head), **more)
    s.embeddings(tied=True)
    for _ in s.each_layer():
        s.norms("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
        if arch == "gemma3":
            s.norms("attn_q_norm", "attn_k_norm", width=head)
        s.attention(q, kv, head)
        s.ffn()
    s.save()


def gpt_oss(out, name, kind, layers, embd, ff, q, kv, head, experts, used, window, **more):
    s = Shape(out, name, "gpt-oss", kind, layers, embd, ff, expert_count=experts, expert_used_count=used,
              expert_feed_forward_length=ff, attention__sliding_window=window, rope__dimension_count=head,
              **heads(q, kv, head), **more)
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm", "post_attention_norm")
        s.attention(q, kv, head, biases="qkv")
        s.tensor("attn_output.bias", embd)
        s.tensor("attn_sinks.weight", q)
        s.experts(experts, ff, biases=True, kind=Type.MXFP4)
    s.save()


def cohere2(out, name, kind, layers=8, embd=512, ff=1024, q=8, kv=2, window=1024):
    s = Shape(out, name, "cohere2", kind, layers, embd, ff, attention__sliding_window=window, logit_scale=0.25,
              attention__layer_norm_epsilon=1e-5, **heads(q, kv, embd // q))
    s.embeddings(tied=True)
    for _ in s.each_layer():
        s.norms("attn_norm")
        s.attention(q, kv, embd // q)
        s.ffn()
    s.save()


def llama4(out, name, kind, layers=8, embd=512, ff=1024, q=8, kv=2, head=64, experts=16):
    s = Shape(out, name, "llama4", kind, layers, embd, ff, expert_count=experts, expert_used_count=1,
              expert_feed_forward_length=256, interleave_moe_layer_step=2, rope__dimension_count=head,
              **heads(q, kv, head))
    s.embeddings()
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.attention(q, kv, head)
        if i % 2:
            s.experts(experts, 256)
            s.ffn(256, "_shexp")
        else:
            s.ffn()
    s.save()


def deepseek2(out, name, kind, latent, layers=6, embd=512, ff=1024, q=8, experts=16, used=4, rank=256, rope=32, nope=64,
              value=64, query_rank=128, expert_ff=128, **more):
    kv = heads(q, 1, rank + rope, rank) if latent else heads(q, q, nope + rope, value)
    if latent:
        kv |= dict(attention__key_length_mla=nope + rope, attention__value_length_mla=value)
    s = Shape(out, name, "deepseek2", kind, layers, embd, ff, leading_dense_block_count=1, expert_count=experts,
              expert_used_count=used, expert_shared_count=1, expert_feed_forward_length=expert_ff,
              attention__q_lora_rank=query_rank, attention__kv_lora_rank=rank, rope__dimension_count=rope, **kv, **more)
    s.embeddings()
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_a_norm", width=query_rank)
        s.norms("attn_kv_a_norm", width=rank)
        s.tensor("attn_q_a.weight", query_rank, embd)
        s.tensor("attn_q_b.weight", q * (nope + rope), query_rank)
        s.tensor("attn_kv_a_mqa.weight", rank + rope, embd)
        if latent:
            s.tensor("attn_k_b.weight", q, rank, nope)
            s.tensor("attn_v_b.weight", q, value, rank)
        else:
            s.tensor("attn_kv_b.weight", q * (nope + value), rank)
        s.tensor("attn_output.weight", embd, q * value)
        if i == 0:
            s.ffn()
        else:
            s.experts(experts, expert_ff)
            s.ffn(expert_ff, "_shexp")
    s.save()


def mamba(out, name, kind, layers=8, embd=512, state=16, rank=32, **more):
    s = Shape(out, name, "mamba", kind, layers, embd, 0, ssm__conv_kernel=4, ssm__inner_size=2 * embd,
              ssm__state_size=state, ssm__time_step_rank=rank, **more)
    s.embeddings(tied=True)
    for _ in s.each_layer():
        s.norms("attn_norm")
        s.state_space(2 * embd, state, rank)
    s.save()


def mamba2(out, name, kind, layers=8, embd=512, state=64, rank=16, groups=1):
    s = Shape(out, name, "mamba2", kind, layers, embd, 0, ssm__conv_kernel=4, ssm__inner_size=2 * embd,
              ssm__state_size=state, ssm__time_step_rank=rank, ssm__group_count=groups)
    s.embeddings(tied=True)
    for _ in s.each_layer():
        s.norms("attn_norm")
        s.state_space(2 * embd, state, rank, groups)
    s.save()


def falcon_h1(out, name, kind, layers=6, embd=512, ff=1024, q=8, kv=2, head=64, inner=768, state=64, rank=12):
    s = Shape(out, name, "falcon-h1", kind, layers, embd, ff, ssm__conv_kernel=4, ssm__inner_size=inner,
              ssm__state_size=state, ssm__time_step_rank=rank, ssm__group_count=1, **heads(q, kv, head))
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm")
        s.tensor("ffn_norm", embd)
        s.state_space(inner, state, rank, 1, norm=False)
        s.attention(q, kv, head)
        s.ffn()
    s.save()


def granite_hybrid(out, name, kind, layers=8, embd=512, ff=1024, q=8, kv=2, head=64, state=64, rank=16, **more):
    s = Shape(out, name, "granitehybrid", kind, layers, embd, ff, ssm__conv_kernel=4, ssm__inner_size=2 * embd,
              ssm__state_size=state, ssm__time_step_rank=rank, ssm__group_count=1, rope__dimension_count=head,
              **heads(q, [kv if i % 4 == 3 else 0 for i in range(layers)], head), **more)
    s.embeddings(tied=True)
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        if i % 4 == 3:
            s.attention(q, kv, head)
        else:
            s.state_space(2 * embd, state, rank, 1)
        s.ffn()
    s.save()


def jamba(out, name, kind, layers=8, embd=512, ff=1024, q=8, kv=2, state=16, rank=32, experts=8, used=2):
    has_kv = [i % 4 == 2 for i in range(layers)]
    s = Shape(out, name, "jamba", kind, layers, embd, ff, ssm__conv_kernel=4, ssm__inner_size=2 * embd,
              ssm__state_size=state, ssm__time_step_rank=rank, expert_count=experts, expert_used_count=used,
              **heads(q, [kv if has else 0 for has in has_kv], embd // q))
    s.embeddings()
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        if has_kv[i]:
            s.attention(q, kv, embd // q)
        else:
            s.state_space(2 * embd, state, rank, inner_norms=True)
        if i % 2:
            s.experts(experts, ff)
        else:
            s.ffn()
    s.save()


def qwen3next(out, name, kind, layers=8, embd=512, q=8, kv=2, head=64, state=64, k_heads=4, v_heads=8, experts=16, used=4,
              ff=128, **more):
    s = Shape(out, name, "qwen3next", kind, layers, embd, ff, ssm__conv_kernel=4, ssm__inner_size=state * v_heads,
              ssm__state_size=state, ssm__time_step_rank=v_heads, ssm__group_count=k_heads, expert_count=experts,
              expert_used_count=used, expert_feed_forward_length=ff, expert_shared_feed_forward_length=ff,
              rope__dimension_count=head // 4, **heads(q, kv, head), **more)
    s.embeddings()
    keys, values = state * k_heads, state * v_heads
    for i in s.each_layer():
        s.norms("attn_norm", "post_attention_norm")
        if i % 4 == 3:
            s.attention(q, kv, head, query=2 * q * head)
            s.norms("attn_q_norm", "attn_k_norm", width=head)
        else:
            s.tensor("attn_qkv.weight", 2 * keys + values, embd)
            s.tensor("attn_gate.weight", values, embd)
            s.tensor("ssm_conv1d.weight", 2 * keys + values, 4, kind=FLOAT)
            s.tensor("ssm_dt.bias", v_heads)
            s.tensor("ssm_a", v_heads)
            s.tensor("ssm_ba.weight", 2 * v_heads, embd)
            s.norms("ssm_norm", width=state)
            s.tensor("ssm_out.weight", embd, values)
        s.experts(experts, ff)
        s.tensor("ffn_gate_inp_shexp.weight", embd)
        s.ffn(ff, "_shexp")
    s.save()


def lfm2(out, name, kind, layers=8, embd=512, ff=1536, q=8, kv=2, kernel=3):
    has_kv = [i % 3 == 2 for i in range(layers)]
    s = Shape(out, name, "lfm2", kind, layers, embd, ff, shortconv__l_cache=kernel,
              **heads(q, [kv if has else 0 for has in has_kv], embd // q))
    s.embeddings(tied=True, norm="token_embd_norm")
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        if has_kv[i]:
            s.norms("attn_q_norm", "attn_k_norm", width=embd // q)
            s.attention(q, kv, embd // q)
        else:
            s.tensor("shortconv.conv.weight", embd, kernel, kind=FLOAT)
            s.tensor("shortconv.in_proj.weight", 3 * embd, embd)
            s.tensor("shortconv.out_proj.weight", embd, embd)
        s.ffn()
    s.save()


def rwkv7(out, name, kind, layers=6, embd=512, ff=2048, head=64):
    s = Shape(out, name, "rwkv7", kind, layers, embd, ff, wkv__head_size=head, token_shift_count=2,
              attention__decay_lora_rank=64, attention__iclr_lora_rank=64, attention__value_residual_mix_lora_rank=32,
              attention__gate_lora_rank=128, attention__layer_norm_epsilon=1e-5, attention__head_count=0)
    s.embeddings()
    s.tensor("output_norm.bias", embd)
    s.tensor("token_embd_norm.weight", embd)
    s.tensor("token_embd_norm.bias", embd)
    for i in s.each_layer():
        for norm in ("attn_norm", "attn_norm_2", "time_mix_ln"):
            s.norms(norm)
            s.tensor(f"{norm}.bias", embd)
        for part, rank in (("w", 64), ("a", 64), ("v", 32 if i else 64)):
            s.tensor(f"time_mix_{part}0.weight", embd)
            s.tensor(f"time_mix_{part}1.weight", rank, embd)
            s.tensor(f"time_mix_{part}2.weight", embd, rank)
        s.tensor("time_mix_g1.weight", 128, embd)
        s.tensor("time_mix_g2.weight", embd, 128)
        s.tensor("time_mix_lerp_fused.weight", 6, 1, 1, embd, kind=FLOAT)
        s.norms("time_mix_k_k", "time_mix_k_a", "time_mix_r_k")
        for part in ("key", "value", "receptance", "output"):
            s.tensor(f"time_mix_{part}.weight", embd, embd)
        s.tensor("channel_mix_lerp_k.weight", 1, 1, embd, kind=FLOAT)
        s.tensor("channel_mix_key.weight", ff, embd)
        s.tensor("channel_mix_value.weight", embd, ff)
    s.save()


def bert(out, name, arch, kind, layers, embd, ff, q, vocab, context=512, pooling=gguf.PoolingType.CLS):
    s = Shape(out, name, arch, kind, layers, embd, ff, vocab=vocab, context=context, attention__head_count=q,
              attention__layer_norm_epsilon=1e-12, attention__causal=False, pooling_type=int(pooling))
    s.word_pieces()
    s.tensor("token_embd.weight", vocab, embd)
    if arch == "bert":
        s.tensor("position_embd.weight", context, embd, kind=FLOAT)
    s.tensor("token_types.weight", 2, embd, kind=FLOAT)
    s.tensor("token_embd_norm.weight", embd)
    s.tensor("token_embd_norm.bias", embd)
    for _ in s.each_layer():
        for norm in ("attn_output_norm", "layer_output_norm"):
            s.norms(norm)
            s.tensor(f"{norm}.bias", embd)
        if arch == "bert":
            s.attention(q, q, embd // q, biases="qkv")
            s.tensor("attn_output.bias", embd)
            s.tensor("ffn_up.weight", ff, embd)
            s.tensor("ffn_up.bias", ff)
            s.tensor("ffn_down.weight", embd, ff)
            s.tensor("ffn_down.bias", embd)
        else:
            s.tensor("attn_qkv.weight", 3 * embd, embd)
            s.tensor("attn_output.weight", embd, embd)
            s.ffn()
    s.save()


def openelm(out, name, kind, layers=8, embd=512, head=64):
    kv = [1, 1, 2, 2, 2, 3, 3, 4]
    ff = [512 + 128 * i for i in range(layers)]
    s = Shape(out, name, "openelm", kind, layers, embd, ff, **heads([4 * n for n in kv], kv, head))
    s.embeddings(tied=True)
    for i in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_norm", "attn_k_norm", width=head)
        s.tensor("attn_qkv.weight", 6 * kv[i] * head, embd)
        s.tensor("attn_output.weight", embd, 4 * kv[i] * head)
        s.ffn(ff[i])
    s.save()


def qwen35(out, name, moe=False, layers=8, embd=512, q=8, kv=2, head=64, state=64, k_heads=4, v_heads=8):
    more = dict(expert_count=16, expert_used_count=4, expert_feed_forward_length=128,
                expert_shared_feed_forward_length=128) if moe else {}
    s = Shape(out, name, name, Type.Q8_0, layers, embd, 1024, ssm__conv_kernel=4, ssm__inner_size=state * v_heads,
              ssm__state_size=state, ssm__time_step_rank=v_heads, ssm__group_count=k_heads, rope__dimension_count=16,
              rope__dimension_sections=[4, 2, 2, 0], **heads(q, kv, head), **more)
    s.embeddings()
    keys, values = state * k_heads, state * v_heads
    for i in s.each_layer():
        s.norms("attn_norm", "post_attention_norm")
        if i % 4 == 3:
            s.attention(q, kv, head, query=2 * q * head)
            s.norms("attn_q_norm", "attn_k_norm", width=head)
        else:
            s.tensor("attn_qkv.weight", 2 * keys + values, embd)
            s.tensor("attn_gate.weight", values, embd)
            s.tensor("ssm_conv1d.weight", 2 * keys + values, 4, kind=FLOAT)
            s.tensor("ssm_dt.bias", v_heads)
            s.tensor("ssm_a", v_heads)
            s.tensor("ssm_beta.weight", v_heads, embd)
            s.tensor("ssm_alpha.weight", v_heads, embd)
            s.norms("ssm_norm", width=state)
            s.tensor("ssm_out.weight", embd, values)
        if moe:
            s.experts(16, 128)
            s.tensor("ffn_gate_inp_shexp.weight", embd)
            s.ffn(128, "_shexp")
        else:
            s.ffn()
    s.save()


def nemotron_h(out, name, layers="MMFAMFMAFF", embd=512, q=8, kv=2, head=64):
    s = Shape(out, name, "nemotron_h", Type.Q8_0, len(layers), embd, [1024 if kind == "F" else 0 for kind in layers],
              attention__layer_norm_epsilon=1e-5, ssm__conv_kernel=4, ssm__inner_size=1024, ssm__state_size=64,
              ssm__time_step_rank=16, ssm__group_count=2, **heads(q, [kv if kind == "A" else 0 for kind in layers], head))
    s.embeddings()
    for i in s.each_layer():
        s.norms("attn_norm")
        if layers[i] == "M":
            s.state_space(1024, 64, 16, 2)
        elif layers[i] == "A":
            s.attention(q, kv, head)
        else:
            s.tensor("ffn_up.weight", 1024, embd)
            s.tensor("ffn_down.weight", embd, 1024)
    s.save()


def modern_bert(out, name, layers=12, embd=384, ff=1024, q=6):
    s = Shape(out, name, "modern-bert", HALF, layers, embd, ff, attention__layer_norm_epsilon=1e-5, attention__causal=False,
              pooling_type=int(gguf.PoolingType.MEAN), attention__sliding_window=128, attention__head_count=q)
    s.tensor("token_embd.weight", s.vocab, embd)
    s.tensor("token_embd_norm.weight", embd)
    s.norms("output_norm")
    for i in s.each_layer():
        if i:
            s.norms("attn_norm")
        s.norms("ffn_norm")
        s.tensor("attn_qkv.weight", 3 * embd, embd)
        s.tensor("attn_output.weight", embd, embd)
        s.tensor("ffn_up.weight", 2 * ff, embd)
        s.tensor("ffn_down.weight", embd, ff)
    s.save()


def plain(out, arch, norms=("attn_norm", "ffn_norm"), fused_qkv=False, qk_norm=None, ffn="gated", biases=False, experts=0,
          shared=0, dense=0, tied=False, expert_bias=False, q=8, kv=2, layers=5, **more):
    """A model of layers with attention and a dense or MoE feed-forward network, which most architectures have."""
    embd, ff, head = 512, 1024, 64
    if experts:
        more |= dict(expert_count=experts, expert_used_count=4, expert_feed_forward_length=ff)
    if dense:
        more |= dict(leading_dense_block_count=dense, expert_shared_count=1, expert_weights_scale=1.0, expert_weights_norm=True)
    s = Shape(out, arch, arch, Type.Q8_0, layers, embd, ff, attention__layer_norm_epsilon=1e-5, rope__dimension_count=head,
              **heads(q, kv, head), **more)
    s.embeddings(tied)
    if biases:
        s.tensor("output_norm.bias", embd)
    for i in s.each_layer():
        for norm in norms:
            s.norms(norm)
            if biases:
                s.tensor(f"{norm}.bias", embd)
        for part, count in (("q", q), ("k", kv)) if qk_norm else ():
            s.norms(f"attn_{part}_norm", width=head if qk_norm == "head" else count * head)
        if fused_qkv:
            s.tensor("attn_qkv.weight", (q + 2 * kv) * head, embd)
            s.tensor("attn_output.weight", embd, q * head)
        else:
            s.attention(q, kv, head)
        if experts and i >= dense:
            s.experts(experts, ff)
            if expert_bias:
                s.tensor("exp_probs_b.bias", experts)
            if shared:
                s.ffn(shared, "_shexp")
        elif ffn == "gated":
            s.ffn()
        else:
            s.tensor("ffn_up.weight", 2 * ff if ffn == "fused" else ff, embd)
            s.tensor("ffn_down.weight", embd, ff)
    s.save()
