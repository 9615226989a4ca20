"""What each word of a text did to a score, as pieces of text in a few steps of strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clauselens.evaluation.metrics import FloatArray

STEPS = (0.25, 0.5, 1.0, 2.0)
"""Effects in logits from which the steps 1 … 4 begin: the odds times 1.3, 1.6, 2.7 and 7.4. The
scale is the same for every row, so that a pale row is one where no word alone decided."""

STRONGEST = 3
"""How many words are named beside the text, for each direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordEffects:
    """How far the logits of a text fall when a part of it is taken out.

    ``spans``: ``(start, end)`` of the parts in characters, in order; ``effects``:
    ``(spans, labels)`` in logits, positive where the part spoke for the label; ``context``:
    ``(labels,)``, the same for the whole context together, or None where there are none.
    """

    spans: tuple[tuple[int, int], ...]
    effects: FloatArray
    context: FloatArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a text. ``step``: 1 … 4 for the label, -1 … -4 against it, 0 for neither."""

    text: str
    step: int


def step(effect: float) -> int:
    """The step of an effect in logits, with its sign."""
    size = sum(abs(effect) >= bound for bound in STEPS)
    return size if effect > 0 else -size


def pieces(text: str, spans: Sequence[tuple[int, int]], effects: FloatArray) -> list[Piece]:
    """``text`` in pieces, which joined give it again; ``effects`` ``(spans,)`` of one label."""
    found: list[Piece] = []
    place = 0
    for (start, end), effect in zip(spans, effects.tolist(), strict=True):
        found += [
            Piece(text=text[place:start], step=0),
            Piece(text=text[start:end], step=step(effect)),
        ]
        place = end
    found.append(Piece(text=text[place:], step=0))
    return [piece for piece in found if piece.text]


def strongest(
    text: str, spans: Sequence[tuple[int, int]], effects: FloatArray
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The words that spoke most for the label, and those against, with their effects; only such
    as reach the first step.
    """
    ranked = sorted(
        ((text[start:end], effect) for (start, end), effect in zip(spans, effects, strict=True)),
        key=lambda word: -word[1],
    )
    for_it = [word for word in ranked if step(word[1]) > 0]
    against = [word for word in reversed(ranked) if step(word[1]) < 0]
    return for_it[:STRONGEST], against[:STRONGEST]
