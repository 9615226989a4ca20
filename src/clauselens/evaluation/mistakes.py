"""The worst errors: rows whose wrong labels were the most certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clauselens.evaluation.metrics import BoolArray, FloatArray
from clauselens.records import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A row that was got wrong: its labels, those that were given, and the scores."""

    id: str
    text: str
    context: str
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    scores: Mapping[str, float]


def worst_mistakes(
    rows: Sequence[Example],
    gold: BoolArray,
    scores: FloatArray,
    predicted: BoolArray,
    labels: Sequence[str],
    *,
    number: int,
) -> list[Mistake]:
    """At most ``number`` rows, worst first; ``gold``, ``scores``, ``predicted``: (n, labels)."""
    certainty = np.where(gold != predicted, np.abs(scores - gold), 0).sum(1)
    order = [i for i in np.argsort(-certainty, kind="stable")[:number] if certainty[i] > 0]

    def names(row: BoolArray) -> tuple[str, ...]:
        return tuple(label for label, given in zip(labels, row, strict=True) if given)

    return [
        Mistake(
            id=rows[i].id,
            text=" ".join(rows[i].text.split()),
            context=rows[i].context.text,
            gold=names(gold[i]),
            predicted=names(predicted[i]),
            scores=dict(zip(labels, scores[i].tolist(), strict=True)),
        )
        for i in order
    ]


def mistakes_list(mistakes: Sequence[Mistake]) -> str:
    """A Markdown list, one item a mistake."""
    lines = []
    for mistake in mistakes:
        wrong = sorted(set(mistake.gold) ^ set(mistake.predicted))
        scores = ", ".join(f"`{label}` {mistake.scores[label]:.2f}" for label in wrong)
        context = f" *({mistake.context})*" if mistake.context else ""
        lines.append(
            f"- `{mistake.id}`{context} {mistake.text}\n"
            f"  gold {_set(mistake.gold)}; given {_set(mistake.predicted)}; scores: {scores}"
        )
    return "\n".join(lines)


def _set(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels) or "none"
