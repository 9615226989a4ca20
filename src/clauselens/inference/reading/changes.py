"""What changed between two versions of a policy, clause by clause."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from clauselens.inference.reading.records import Change, Changes, Policy, ReadSentence, Run

ALIKE = 0.5
"""Share of words in common from which a clause counts as reworded, not as removed and added."""

_CANDIDATES = 5
"""Clauses with the most words in common that are compared word by word."""

_WORDS = re.compile(r"\w+|[^\w\s]")
_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Left:
    """Clauses of either version that have no counterpart yet."""

    old: set[int]
    new: set[int]

    def without(self, pairs: list[Pair]) -> list[Pair]:
        """Take the clauses of ``pairs`` out, and return the pairs."""
        self.old.difference_update(i for i, _ in pairs)
        self.new.difference_update(j for _, j in pairs)
        return pairs


def compare(old: Policy, new: Policy) -> Changes:
    """Match the clauses of two versions: equal text in place, equal text elsewhere, like text."""
    before, after = old.clauses, new.clauses
    one, other = _keys(before), _keys(after)
    left = _Left(set(range(len(one))), set(range(len(other))))
    kept = left.without(list(_in_place(one, other)))
    moved = left.without(list(_elsewhere(one, other, left)))
    reworded = left.without(_alike(one, other, left))
    found = [
        Change(kind="reworded", old=before[i], new=after[j], runs=word_runs(one[i], other[j]))
        for i, j in reworded
    ]
    found += [
        Change(kind="relabelled", old=before[i], new=after[j])
        for i, j in [*kept, *moved]
        if set(before[i].labels) != set(after[j].labels)
    ]
    found += [Change(kind="added", old=None, new=after[j]) for j in left.new]
    found += [Change(kind="removed", old=before[i], new=None) for i in left.old]
    place = _Places(before, after, [*kept, *reworded])
    return Changes(
        old=old,
        new=new,
        changes=tuple(sorted(found, key=place)),
        unchanged=len(kept),
        moved=len(moved),
    )


def _keys(clauses: Sequence[ReadSentence]) -> list[str]:
    """Texts as they are compared: line breaks and repeated spaces say nothing."""
    return [" ".join(read.sentence.text.split()) for read in clauses]


def word_runs(old: str, new: str) -> tuple[Run, ...]:
    """The words that stayed, went and came, in reading order."""
    one, other = _TOKENS.findall(old), _TOKENS.findall(new)
    runs: list[Run] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, one, other, False).get_opcodes():
        if kind == "equal":
            runs.append(Run(kind="same", text="".join(one[i:i_end])))
            continue
        if i < i_end:
            runs.append(Run(kind="removed", text="".join(one[i:i_end])))
        if j < j_end:
            runs.append(Run(kind="added", text="".join(other[j:j_end])))
    return _joined(runs)


def _joined(runs: Sequence[Run]) -> tuple[Run, ...]:
    """A lone space between two changes belongs to them: one long change reads better."""
    found: list[Run] = []
    removed = added = ""

    def close() -> None:
        nonlocal removed, added
        if removed:
            found.append(Run(kind="removed", text=removed))
        if added:
            found.append(Run(kind="added", text=added))
        removed = added = ""

    for position, run in enumerate(runs):
        last = position + 1 == len(runs)
        if run.kind == "removed":
            removed += run.text
        elif run.kind == "added":
            added += run.text
        elif run.text.isspace() and (removed or added) and not last:
            removed += run.text
            added += run.text
        else:
            close()
            found.append(run)
    close()
    return tuple(found)


def _in_place(old: Sequence[str], new: Sequence[str]) -> Iterator[Pair]:
    for i, j, size in SequenceMatcher(None, old, new, False).get_matching_blocks():
        yield from ((i + step, j + step) for step in range(size))


def _elsewhere(old: Sequence[str], new: Sequence[str], left: _Left) -> Iterator[Pair]:
    places: dict[str, deque[int]] = defaultdict(deque)
    for j in sorted(left.new):
        places[new[j]].append(j)
    for i in sorted(left.old):
        if places[old[i]]:
            yield i, places[old[i]].popleft()


def _alike(old: Sequence[str], new: Sequence[str], left: _Left) -> list[Pair]:
    """Pairs of clauses with at least ``ALIKE`` of their words in common, the likest first."""
    rows, columns = sorted(left.old), sorted(left.new)
    if not rows or not columns:
        return []
    one = [_WORDS.findall(old[i].casefold()) for i in rows]
    other = [_WORDS.findall(new[j].casefold()) for j in columns]
    shared = _shared_words(one, other)
    ranked = []
    for row, likely in enumerate(np.argsort(-shared, axis=1, kind="stable")[:, :_CANDIDATES]):
        for column in likely.tolist():
            if shared[row, column] < ALIKE:
                break
            ratio = SequenceMatcher(None, one[row], other[column], False).ratio()
            if ratio >= ALIKE:
                ranked.append((-ratio, rows[row], columns[column]))
    pairs: dict[int, int] = {}
    for _, i, j in sorted(ranked):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return sorted(pairs.items())


def _shared_words(
    old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]
) -> NDArray[np.float32]:
    """Dice coefficients of the sets of words, ``(old, new)``."""
    vocabulary = {word: k for k, word in enumerate(sorted({w for ws in (*old, *new) for w in ws}))}
    sets = []
    for side in (old, new):
        matrix = np.zeros((len(side), max(1, len(vocabulary))), dtype=np.float32)
        for row, words in enumerate(side):
            matrix[row, [vocabulary[word] for word in words]] = 1
        sets.append(matrix)
    one, other = sets
    sizes = one.sum(1)[:, None] + other.sum(1)[None, :]
    dice: NDArray[np.float32] = 2 * (one @ other.T) / np.maximum(sizes, 1)
    return dice


class _Places:
    """Sorts changes by where they stand in the new text; what was removed stands where the
    clause before it went.
    """

    def __init__(
        self,
        before: Sequence[ReadSentence],
        after: Sequence[ReadSentence],
        pairs: Sequence[Pair],
    ) -> None:
        went = dict(pairs)
        self._new = {read.anchor: j for j, read in enumerate(after)}
        self._old: dict[str, int] = {}
        place = -1
        for i, read in enumerate(before):
            place = went.get(i, place)
            self._old[read.anchor] = place

    def __call__(self, change: Change) -> tuple[int, int, int]:
        if change.new is not None:
            return self._new[change.new.anchor], 0, 0
        assert change.old is not None
        return self._old[change.old.anchor], 1, change.old.sentence.start
