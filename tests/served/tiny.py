#!/usr/bin/env python3
"""Write the tiny models of the tests: tiny.py FOLDER

llama-server loads and serves each of them. The weights are random numbers of a fixed seed, so the same version of gguf writes
the same files. `target` and `draft` are a pair. llama-server b11669 starts with `draft-bos` or `vocab-wide` as the draft of
`target`, logs one error line and serves without speculation.
"""
import sys
from pathlib import Path

import gguf
import numpy as np

from shape import FLOAT, Shape, heads

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["t h", "th e", "i n", "a n", "e r"]


def byte_tokens():
    """The token of each byte in GPT-2's byte-level BPE: a printable byte is itself, the others follow from U+0100 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = (byte for byte in range(256) if byte not in printable)
    code = {byte: byte for byte in printable} | {byte: 256 + n for n, byte in enumerate(others)}
    return [chr(code[byte]) for byte in sorted(code)]


class Tiny(Shape):
    """A model with weights."""

    def __init__(self, *args, bos=None, extra=0, **more):
        self.bos, self.extra = bos, extra
        self.random = np.random.default_rng(1)
        super().__init__(*args, **more)

    def byte_pairs(self):
        normal = byte_tokens() + [pair.replace(" ", "") for pair in MERGES]
        control = CONTROL + [f"<|extra_{n}|>" for n in range(self.extra)]
        tokens = normal + control
        self.vocab = len(tokens)
        self.w.add_tokenizer_model("gpt2")
        self.w.add_tokenizer_pre("qwen2")
        self.w.add_token_list(tokens)
        types = [gguf.TokenType.NORMAL] * len(normal) + [gguf.TokenType.CONTROL] * len(control)
        self.w.add_token_types(types)
        self.w.add_token_merges(MERGES)
        self.w.add_bos_token_id(tokens.index(self.bos or CONTROL[0]))
        self.w.add_eos_token_id(tokens.index("<|im_end|>"))
        self.w.add_pad_token_id(tokens.index("<|endoftext|>"))
        self.w.add_add_bos_token(self.bos is not None)
        self.w.add_chat_template(CHATML)

    def tensor(self, name, *shape, kind=None):
        if self.layer is not None:
            name = f"blk.{self.layer}.{name}"
        is_scale = name.endswith("norm.weight")
        numbers = np.ones(shape) if is_scale else self.random.standard_normal(shape) * 0.02
        self.w.add_tensor(name, numbers.astype(np.float32))

    def save(self):
        self.w.write_header_to_file()
        self.w.write_kv_data_to_file()
        self.w.write_tensors_to_file()
        self.w.close()


def dense(out, name, layers, **more):
    s = Tiny(out, name, "qwen2", FLOAT, layers, 64, 128, context=4096, rope__freq_base=1e6, **heads(4, 2, 16), **more)
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.attention(4, 2, 16, biases="qkv")
        s.ffn()
    s.save()


def mixture(out, name):
    s = Tiny(out, name, "qwen3moe", FLOAT, 2, 64, 64, context=4096, rope__freq_base=1e6, expert_count=8, expert_used_count=4,
             expert_feed_forward_length=64, **heads(4, 2, 16))
    s.embeddings()
    for _ in s.each_layer():
        s.norms("attn_norm", "ffn_norm")
        s.norms("attn_q_norm", "attn_k_norm", width=16)
        s.attention(4, 2, 16)
        s.experts(8, 64)
    s.save()


def embedder(out, name):
    s = Tiny(out, name, "bert", FLOAT, 2, 64, 128, vocab=193, context=512, attention__layer_norm_epsilon=1e-12,
             attention__causal=False, pooling_type=gguf.PoolingType.CLS.value, **heads(4, 4, 16))
    s.word_pieces()
    s.w.add_pad_token_id(0)
    s.tensor("token_embd.weight", s.vocab, s.embd)
    s.tensor("position_embd.weight", 512, s.embd)
    s.tensor("token_types.weight", 2, s.embd)
    s.norms("token_embd_norm")
    s.tensor("token_embd_norm.bias", s.embd)
    for _ in s.each_layer():
        s.attention(4, 4, 16, biases="qkv")
        s.tensor("attn_output.bias", s.embd)
        for norm in ("attn_output_norm", "layer_output_norm"):
            s.norms(norm)
            s.tensor(f"{norm}.bias", s.embd)
        s.tensor("ffn_up.weight", s.ff, s.embd)
        s.tensor("ffn_up.bias", s.ff)
        s.tensor("ffn_down.weight", s.embd, s.ff)
        s.tensor("ffn_down.bias", s.embd)
    s.save()


def adapter(out, name, rank=8):
    """A LoRA for `target` that changes nothing: its second matrices are zero."""
    w = gguf.GGUFWriter(out / f"{name}.gguf", "qwen2")
    w.add_type("adapter")
    w.add_string("adapter.type", "lora")
    w.add_float32("adapter.lora.alpha", 8.0)
    for layer in range(4):
        for tensor, width in (("attn_q", 64), ("attn_k", 32), ("ffn_up", 128)):
            w.add_tensor(f"blk.{layer}.{tensor}.weight.lora_a", np.ones((rank, 64), dtype=np.float32))
            w.add_tensor(f"blk.{layer}.{tensor}.weight.lora_b", np.zeros((width, rank), dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    dense(out, "target", layers=4)
    dense(out, "draft", layers=1)
    dense(out, "draft-bos", layers=1, bos=",")
    dense(out, "vocab-wide", layers=1, extra=300)
    mixture(out, "moe")
    embedder(out, "embed")
    adapter(out, "adapter")


if __name__ == "__main__":
    main()
