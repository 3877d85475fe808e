"""all-MiniLM-L6-v2 in numpy: the teacher of the static model, read from its safetensors file."""

import json
import pathlib

import numpy as np
from tokenizers import Tokenizer

HEADS = 12


def read_safetensors(path):
    """Returns the float32 arrays of a safetensors file by name (8 bytes of header length, JSON header, data)."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
        arrays[name] = array.reshape(entry["shape"])
    return arrays


def erf(x):
    """Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - p * np.exp(-x * x))


class Teacher:
    """The sentence-transformer: BERT, mean of the token states, unit length."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.weights = read_safetensors(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)  # sentence_bert_config.json
        self.layers = 1 + max(int(n.split(".")[2]) for n in self.weights if n.startswith("encoder.layer."))

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, name, x):
        mean = x.mean(-1, keepdims=True)
        variance = x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-12) * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def states(self, ids):
        """Returns the last hidden states of a batch of id lists of one length."""
        ids = np.asarray(ids)
        batch, length = ids.shape
        x = self.weights["embeddings.word_embeddings.weight"][ids]
        x = x + self.weights["embeddings.position_embeddings.weight"][:length]
        x = self.norm("embeddings.LayerNorm", x + self.weights["embeddings.token_type_embeddings.weight"][0])
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}."
            q, k, v = (
                self.linear(name + "attention.self." + part, x).reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(np.float32(q.shape[-1]))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (scores / scores.sum(-1, keepdims=True)) @ v
            mixed = mixed.transpose(0, 2, 1, 3).reshape(batch, length, -1)
            x = self.norm(name + "attention.output.LayerNorm", x + self.linear(name + "attention.output.dense", mixed))
            inner = self.linear(name + "intermediate.dense", x)
            inner = inner * 0.5 * (1 + erf(inner / np.sqrt(np.float32(2))))
            x = self.norm(name + "output.LayerNorm", x + self.linear(name + "output.dense", inner))
        return x

    def pool(self, id_lists):
        """Returns the mean state of each id list, in their order; lists of one length go together."""
        pooled = np.zeros((len(id_lists), 384), np.float32)
        order = sorted(range(len(id_lists)), key=lambda i: len(id_lists[i]))
        begin = 0
        while begin < len(order):
            length = len(id_lists[order[begin]])
            end = begin
            while end < len(order) and len(id_lists[order[end]]) == length and (end - begin) * length < 4096:
                end += 1
            part = order[begin:end]
            pooled[part] = self.states([id_lists[i] for i in part]).mean(1)
            begin = end
        return pooled

    def embed(self, texts):
        """Returns a unit vector for each text."""
        pooled = self.pool([e.ids for e in self.tokenizer.encode_batch(texts)])
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
