#!/usr/bin/env python3
"""Makes distinct policy sentences, offline: the first half of one clause, the second of another.

The clauses are the written examples (`data/synthetic`), which are ours to pass on. What comes out
reads like a policy, has its lengths and its words, and means little: scores often stand near a
threshold, which is where engines that differ would show it.

    scripts/sentences.py 1000 --seed 0 > sentences.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

WRITTEN = Path(__file__).parents[1] / "data/synthetic/written.jsonl"


def sentences(seed: int) -> Iterator[dict[str, str]]:
    """Yield rows ``{text, section, lead_in}`` without end, every text once, drawn by ``seed``.

    Context comes from a third clause.
    """
    rows = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    draw = random.Random(seed)
    seen = set()
    while True:
        first, second, context = draw.choices(rows, k=3)
        head, tail = first["text"].split(), second["text"].split()
        text = " ".join([*head[: (len(head) + 1) // 2], *tail[len(tail) // 2 :]])
        if text not in seen:
            seen.add(text)
            yield {
                "text": text,
                "section": context.get("section", ""),
                "lead_in": context.get("lead_in", ""),
            }


def main() -> None:
    """Print rows as JSON Lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for _, row in zip(range(options.number), sentences(options.seed), strict=False):
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
