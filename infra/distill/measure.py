"""Measures the static model against its teacher and against keyword search (BM25).

Usage: measure.py TEACHER_FOLDER MODEL_BIN TESTDATA_FOLDER [TASKS_CSV]
"""

import csv
import pathlib
import re
import struct
import sys
from collections import Counter

import numpy as np

from teacher import Teacher


class Static:
    """model.bin, with the teacher's tokenizer."""

    def __init__(self, path, tokenizer):
        data = pathlib.Path(path).read_bytes()
        n, dim = struct.unpack("<II", data[8:16])
        lengths, at, self.ids = data[16 : 16 + n], 16 + n, {}
        for i, length in enumerate(lengths):
            self.ids[data[at : at + length].decode()] = i
            at += length
        scales = np.frombuffer(data[at : at + 4 * n], "<f4")
        rows = np.frombuffer(data[at + 4 * n :], np.int8).reshape(n, dim)
        self.table = rows * scales[:, None]
        self.tokenizer = tokenizer

    def embed(self, texts):
        encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        sums = np.stack([sum(self.table[self.ids[t]] for t in e.tokens if t in self.ids) for e in encoded])
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def keyword(queries, documents):
    """BM25 with k1 = 1.2, b = 0.75: the score of each document for each query."""
    documents = [Counter(re.findall(r"\w+", d.lower())) for d in documents]
    lengths = np.array([sum(d.values()) for d in documents])
    postings = {}
    for i, document in enumerate(documents):
        for term, count in document.items():
            postings.setdefault(term, []).append((i, count))
    scores = np.zeros((len(queries), len(documents)))
    for q, query in enumerate(queries):
        for term in set(re.findall(r"\w+", query.lower())) & postings.keys():
            found, counts = np.array(postings[term]).T
            rarity = np.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            scores[q, found] += rarity * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * lengths[found] / lengths.mean()))
    return scores


def recall(scores):
    """Recall@1 and @5 when the answer to query i is document i."""
    places = (np.argsort(-scores, axis=1, kind="stable") == np.arange(len(scores))[:, None]).argmax(1)
    return f"recall@1 {np.mean(places < 1):.3f}  recall@5 {np.mean(places < 5):.3f}"


def agreement(scores, labels):
    """The share of the ten nearest others with the same label."""
    labels = np.array(labels)
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return f"agreement {np.mean(labels[nearest] == labels[:, None]):.3f}"


def main(teacher, model, testdata, tasks=None):
    teacher = Teacher(teacher)
    static = Static(model, teacher.tokenizer)
    testdata = pathlib.Path(testdata)
    read = lambda name: [line.split("\t") for line in (testdata / name).read_text().splitlines()]
    questions, answers = zip(*read("answers.tsv"))
    others = [line[0] for line in read("distractors.txt")]
    sets = [("titles.tsv", *zip(*read("titles.tsv")))]
    if tasks:
        rows = list(csv.DictReader(open(tasks)))
        sets.append((tasks, [r["project"] for r in rows], [r["title"] for r in rows]))
    for name, embed in ("static", static.embed), ("teacher", teacher.embed), ("keyword", None):
        score = (lambda q, d: embed(q) @ embed(d).T) if embed else keyword
        print(name, "questions with distractors", recall(score(questions, list(answers) + others)))
        print(name, "questions without        ", recall(score(questions, answers)))
        for title, labels, texts in sets:
            print(name, title, agreement(score(texts, texts), labels), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
