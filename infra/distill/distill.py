"""Distils all-MiniLM-L6-v2 to the token table of shared/embedder/staticembed.

Usage: distill.py TEACHER_FOLDER MODEL_BIN GOLDEN_JSONL TITLES_TSV
See README.md beside this file for where the teacher comes from and what the table is worth.
"""

import hashlib
import json
import pathlib
import random
import re
import struct
import sys
import unicodedata

import numpy as np

from teacher import Teacher

DIM = 256
SIF = 2e-4  # a of Arora et al., "A simple but tough-to-beat baseline for sentence embeddings": weight a / (a + p)
WHITEN = 0.25  # the power of the singular values that each component is divided by
OLD = unicodedata.ucd_3_2_0
SPECIAL = re.compile(r"\[(unused\d+|PAD|CLS|SEP|MASK|UNK)\]")


def frequency_ranks(vocabulary):
    """Estimates the rank of each token by frequency.

    From "the" on BERT's vocabulary is sorted by frequency. The single characters before it are not: those of ASCII
    (punctuation, "a", digits) are frequent, the others are rare. Model2Vec takes the plain position, which makes "the"
    a thousand times rarer than it is.
    """
    the = vocabulary.index("the")
    ranks = np.arange(len(vocabulary)) - the + 1
    for i, token in enumerate(vocabulary):
        character = token.removeprefix("##")
        if len(character) == 1:
            ranks[i] = 10 if ord(character) < 128 else 20000
    return np.maximum(ranks, 1)


def distil(states, ranks):
    """Model2Vec: principal components of the teacher's vectors of single tokens, weighted by rarity."""
    centred = states - states.mean(0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    table = centred @ directions[:DIM].T
    table *= (singular[0] / singular[:DIM]) ** WHITEN
    probability = 1 / (ranks + 2.7) / 10.4  # Zipf-Mandelbrot, as of English
    return table * (SIF / (SIF + probability))[:, None]


def write(path, tokens, table):
    """Writes the file that staticembed/model.go describes."""
    encoded = [t.encode() for t in tokens]
    scales = np.abs(table).max(1) / 127
    rows = np.rint(table / scales[:, None]).astype(np.int8)
    data = b"NANOEMB1" + struct.pack("<II", len(tokens), DIM)
    data += bytes(len(t) for t in encoded) + b"".join(encoded)
    data += scales.astype("<f4").tobytes() + rows.tobytes()
    path.write_bytes(data)
    print(f"{path}: {len(tokens)} tokens, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def samples(titles):
    """Texts for the comparison of the tokenizers: sentences, many scripts, and random characters."""
    yield from titles[:100]
    yield from [
        "", " ", "Hello, World!", "don't stop-me now", "naïve café Ångström İstanbul STRASSE straße ΑΒΓΣ σς",
        "日本語のテキスト and 中文字符", "한국어 문장", "Привет, мир! Ёлка", "مرحبا بالعالم", "नमस्ते दुनिया", "ไทย ภาษา",
        "emoji 🎉🚀 here", "a\u200bb\u00adc\ufeffd", "tab\tnew\nline\r\nnbsp\u00a0end\u2003x", "x" * 100, "x" * 101,
        "foo_bar.baz(qux) => {a: 1}", "https://example.com/a?b=c#d", "1,234.56 € $5 50% ½ ² ①", "e\u0301 vs é", "ﬁ ﬂ ﬃ",
        "\u0000null\ufffdrepl", "[CLS] [unused5] [MASK]", "don’t “quote” — dash… «x»", "𝕳𝖊𝖑𝖑𝖔 ｆｕｌｌ", "㐀 豈 𠀀 〇 々",
        "a" * 50 + "中" + "b" * 50, "ǅ ǈ ß ẞ ŉ", "zero\u200dwidth\u200cjoin", "line\u2028sep\u2029par", "\u1680ogham\u180emongol",
    ]
    chance = random.Random(1)
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x600), (0x900, 0xE00), (0x1E00, 0x2400), (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAD00)]
    for _ in range(250):
        picked = [chance.choice(ranges[:1] * 4 + ranges) for _ in range(chance.randrange(1, 30))]
        # Characters newer than the reference's tables (Unicode 8) are unassigned to it, and marks or letters to us.
        yield "".join(c for c in (chr(chance.randrange(*r)) for r in picked) if OLD.category(c) != "Cn")


def reference(tokenizer, text):
    """The tokens of the teacher's tokenizer, without its special tokens."""
    words = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    return [token.value for word, _ in words for token in tokenizer.model.tokenize(word)]


def main(teacher, model, golden, titles):
    teacher = Teacher(teacher)
    vocabulary = [t for t, _ in sorted(teacher.tokenizer.get_vocab().items(), key=lambda item: item[1])]
    kept = [i for i, token in enumerate(vocabulary) if not SPECIAL.fullmatch(token)]
    cls, sep = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    states = teacher.pool([[cls, i, sep] for i in kept])
    table = distil(states, frequency_ranks(vocabulary)[kept])
    write(pathlib.Path(model), [vocabulary[i] for i in kept], table)
    lines = [line.split("\t")[1] for line in pathlib.Path(titles).read_text().splitlines()]
    with open(golden, "w") as file:
        for text in samples(lines):
            file.write(json.dumps({"text": text, "tokens": reference(teacher.tokenizer, text)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
