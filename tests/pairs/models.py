#!/usr/bin/env python3
"""Write a tiny llama model with the vocabulary of each ggml-vocab-*.gguf: models.py VOCAB_DIR OUT_DIR

Metadata below `tokenizer.` is copied byte by byte. The tensors are zeros in a sparse file.
"""
import struct
import sys
from pathlib import Path

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
EMBD, FF = 32, 32


def skip(data, at, kind):
    if kind == 8:
        return at + 8 + struct.unpack_from("<Q", data, at)[0]
    if kind == 9:
        inner, count = struct.unpack_from("<IQ", data, at)
        at += 12
        if inner == 8:
            for _ in range(count):
                at = skip(data, at, 8)
            return at
        return at + SIZES[inner] * count
    return at + SIZES[kind]


def tokenizer(data):
    """The raw pairs whose keys begin with `tokenizer.`, and the number of tokens."""
    pairs, tokens, at = [], 0, 24
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        start = at
        length = struct.unpack_from("<Q", data, at)[0]
        key = data[at + 8 : at + 8 + length].decode()
        at += 8 + length
        kind = struct.unpack_from("<I", data, at)[0]
        if key == "tokenizer.ggml.tokens":
            tokens = struct.unpack_from("<Q", data, at + 8)[0]
        at = skip(data, at + 4, kind)
        if key.startswith("tokenizer."):
            pairs.append(data[start:at])
    return pairs, tokens


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def model(vocab, out):
    pairs, tokens = tokenizer(vocab.read_bytes())
    pairs.append(text("general.architecture") + struct.pack("<I", 8) + text("llama"))
    numbers = {"block_count": 1, "context_length": 4096, "embedding_length": EMBD, "feed_forward_length": FF,
               "attention.head_count": 1, "attention.head_count_kv": 1, "rope.dimension_count": EMBD}
    pairs += [text(f"llama.{key}") + struct.pack("<II", 4, n) for key, n in numbers.items()]
    pairs.append(text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5))
    shapes = {"token_embd.weight": (EMBD, tokens), "output_norm.weight": (EMBD,), "blk.0.attn_norm.weight": (EMBD,),
              "blk.0.ffn_norm.weight": (EMBD,), "blk.0.ffn_gate.weight": (EMBD, FF), "blk.0.ffn_up.weight": (EMBD, FF),
              "blk.0.ffn_down.weight": (FF, EMBD)}
    shapes |= {f"blk.0.attn_{part}.weight": (EMBD, EMBD) for part in ("q", "k", "v", "output")}
    infos, offset = [], 0
    for name, shape in shapes.items():
        infos.append(text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset))
        bytes_ = 4
        for n in shape:
            bytes_ *= n
        offset += -(-bytes_ // 32) * 32
    header = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(pairs)) + b"".join(pairs) + b"".join(infos)
    with out.open("wb") as file:
        file.write(header)
        file.truncate(-(-len(header) // 32) * 32 + offset)


def main():
    vocabs, out = Path(sys.argv[1]), Path(sys.argv[2])
    for vocab in sorted(vocabs.glob("ggml-vocab-*.gguf")):
        model(vocab, out / vocab.name.removeprefix("ggml-vocab-"))


if __name__ == "__main__":
    main()
