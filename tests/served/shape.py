"""Builder of GGUF models: a header, and a hole as long as the tensors."""
import os

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

FLOAT, HALF = Type.F32, Type.F16


class Shape:
    """Builder of one model: metadata, a tokenizer and tensors. All matrices have one type."""

    def __init__(self, out, name, arch, kind, layers, embd, ff, vocab=512, context=131072, **more):
        self.path = out / f"{name}.gguf"
        self.w = gguf.GGUFWriter(self.path, arch)
        self.arch, self.kind, self.layers, self.embd, self.ff, self.vocab = arch, kind, layers, embd, ff, vocab
        self.layer = None
        self.w.add_name(name)
        self.w.add_file_type(gguf.LlamaFileType.GUESSED)
        self.keys(block_count=layers, context_length=context, embedding_length=embd, feed_forward_length=ff,
                  attention__layer_norm_rms_epsilon=1e-6, **more)
        if arch not in ("bert", "nomic-bert"):
            self.byte_pairs()

    def keys(self, **values):
        """Add metadata keys of the architecture. `__` means a dot."""
        for key, value in values.items():
            key = f"{self.arch}.{key.replace('__', '.')}"
            if isinstance(value, bool):
                self.w.add_bool(key, value)
            elif isinstance(value, float):
                self.w.add_float32(key, value)
            elif isinstance(value, list):
                self.w.add_array(key, value)
            else:
                self.w.add_uint32(key, value)

    def byte_pairs(self):
        control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        tokens = [chr(c) for c in range(33, 33 + 256)] + ["th", "the", "in"] + control
        tokens += [f"<|extra_{i}|>" for i in range(self.vocab - len(tokens))]
        self.w.add_tokenizer_model("gpt2")
        self.w.add_tokenizer_pre("qwen2")
        self.w.add_token_list(tokens)
        self.w.add_token_types([gguf.TokenType.NORMAL] * 259 + [gguf.TokenType.CONTROL] * (len(tokens) - 259))
        self.w.add_token_merges(["t h", "th e", "i n"])
        self.w.add_bos_token_id(259)
        self.w.add_eos_token_id(261)
        self.w.add_add_bos_token(False)

    def word_pieces(self):
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + ["\u2581" + chr(c) for c in range(33, 127)]
        words += [chr(c) for c in range(33, 127)]
        words += [f"\u2581w{i}" for i in range(self.vocab - len(words))]
        self.w.add_tokenizer_model("bert")
        self.w.add_tokenizer_pre("default")
        self.w.add_token_list(words)
        self.w.add_token_types([gguf.TokenType.CONTROL] * 5 + [gguf.TokenType.NORMAL] * (len(words) - 5))
        self.w.add_token_type_count(2)
        self.w.add_unk_token_id(1)
        self.w.add_bos_token_id(2)
        self.w.add_sep_token_id(3)
        self.w.add_mask_token_id(4)
        self.w.add_eos_token_id(3)

    def tensor(self, name, *shape, kind=None):
        """Add a tensor. The shape is in the order of numpy, rows first. Vectors are f32."""
        if kind is None:
            kind = FLOAT if len(shape) == 1 else self.kind
        while shape[-1] % gguf.GGML_QUANT_SIZES[kind][0]:
            kind = {Type.Q4_K: Type.Q5_0, Type.Q6_K: Type.Q8_0}.get(kind, HALF)  # the fallback of llama-quantize
        block, size = gguf.GGML_QUANT_SIZES[kind]
        numbers = int(np.prod(shape))
        if self.layer is not None:
            name = f"blk.{self.layer}.{name}"
        self.w.add_tensor_info(name, shape, np.dtype(np.float32), numbers // block * size, raw_dtype=kind)

    def each_layer(self):
        """Iterate over the layers. Meanwhile, tensor names get the prefix of the layer."""
        for self.layer in range(self.layers):
            yield self.layer
        self.layer = None

    def norms(self, *names, width=None):
        for name in names:
            self.tensor(f"{name}.weight", width or self.embd)

    def embeddings(self, tied=False, norm="output_norm", kind=None):
        self.tensor("token_embd.weight", self.vocab, self.embd, kind=kind)
        self.norms(norm)
        if not tied:
            self.tensor("output.weight", self.vocab, self.embd, kind=kind)

    def attention(self, heads, kv_heads, head, value_head=None, query=None, biases=()):
        value_head = value_head or head
        rows = {"q": query or heads * head, "k": kv_heads * head, "v": kv_heads * value_head}
        for part, n in rows.items():
            self.tensor(f"attn_{part}.weight", n, self.embd)
            if part in biases:
                self.tensor(f"attn_{part}.bias", n)
        self.tensor("attn_output.weight", self.embd, heads * value_head)

    def ffn(self, ff=None, suffix=""):
        ff = ff or self.ff
        self.tensor(f"ffn_gate{suffix}.weight", ff, self.embd)
        self.tensor(f"ffn_up{suffix}.weight", ff, self.embd)
        self.tensor(f"ffn_down{suffix}.weight", self.embd, ff)

    def experts(self, count, ff, biases=False, kind=None):
        self.tensor("ffn_gate_inp.weight", count, self.embd, kind=FLOAT)
        self.tensor("ffn_gate_exps.weight", count, ff, self.embd, kind=kind)
        self.tensor("ffn_up_exps.weight", count, ff, self.embd, kind=kind)
        self.tensor("ffn_down_exps.weight", count, self.embd, ff, kind=kind)
        if biases:
            self.tensor("ffn_gate_inp.bias", count)
            for part, n in (("gate", ff), ("up", ff), ("down", self.embd)):
                self.tensor(f"ffn_{part}_exps.bias", count, n, kind=FLOAT)

    def state_space(self, inner, state, rank, groups=None, conv=4, norm=True, inner_norms=False):
        """Add the tensors of a Mamba layer, or of Mamba-2 if it has groups."""
        channels = inner + 2 * groups * state if groups else inner
        self.tensor("ssm_in.weight", inner + channels + rank if groups else 2 * inner, self.embd)
        self.tensor("ssm_conv1d.weight", channels, conv, kind=FLOAT)
        self.tensor("ssm_conv1d.bias", channels)
        self.tensor("ssm_dt.bias", rank if groups else inner)
        self.tensor("ssm_a", rank if groups else inner, 1 if groups else state, kind=FLOAT)
        if groups:
            self.tensor("ssm_d", rank, 1, kind=FLOAT)
            if norm:
                self.tensor("ssm_norm.weight", groups, inner // groups, kind=FLOAT)
        else:
            self.tensor("ssm_d", inner)
            self.tensor("ssm_x.weight", rank + 2 * state, inner)
            self.tensor("ssm_dt.weight", inner, rank, kind=HALF)
            if inner_norms:
                self.norms("ssm_dt_norm", width=rank)
                self.norms("ssm_b_norm", "ssm_c_norm", width=state)
        self.tensor("ssm_out.weight", self.embd, inner)

    def save(self):
        """Write the header, then a hole as long as the tensors."""
        self.w.write_header_to_file()
        self.w.write_kv_data_to_file()
        self.w.write_ti_data_to_file()
        file, = self.w.fout
        start = gguf.GGUFWriter.ggml_pad(file.seek(0, os.SEEK_END), self.w.data_alignment)
        sizes = (info.nbytes for info in self.w.tensors[0].values())
        file.truncate(start + sum(gguf.GGUFWriter.ggml_pad(n, self.w.data_alignment) for n in sizes))
        self.w.close()


def heads(count, kv, head, value=None):
    return dict(attention__head_count=count, attention__head_count_kv=kv, attention__key_length=head,
                attention__value_length=value or head)
