"""How context and sentence become tokens: one module for training and inference.

A bare sentence is encoded exactly as ``tokenizer(text)``. With context, section, lead-in and the
sentence before are the first segment and the sentence the second; where both are too long
together, the context is cut from its left end (what is nearest stands last). A
sentence that is too long by itself is read in overlapping windows, without context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from clauselens.errors import InputError
from clauselens.records import Context

TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFormat:
    """What the encoder gets. ``max_length`` and ``stride`` in tokens, special ones included.

    ``stride`` is the overlap of two windows; ``context`` says whether section and lead-in go in,
    ``previous`` whether the sentence before does with them.
    """

    max_length: int = 256
    stride: int = 64
    context: bool = True
    previous: bool = False

    def __post_init__(self) -> None:
        if self.max_length < 16:
            raise InputError(f"input.max_length is {self.max_length}, expected at least 16 tokens")
        if not 0 <= self.stride < self.max_length - 8:
            most = self.max_length - 9
            raise InputError(f"input.stride is {self.stride}, expected 0 to {most}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Window:
    """One sequence for the encoder: token ids and segment ids of equal length."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]


class InputEncoder:
    """Encodes texts with their contexts. Holds no state between calls; safe to share."""

    def __init__(self, tokenizer: Tokenizer, input_format: InputFormat) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self.format = input_format
        self._single = tokenizer.num_special_tokens_to_add(False)
        self._pair = tokenizer.num_special_tokens_to_add(True)

    @classmethod
    def load(cls, folder: Path, input_format: InputFormat) -> InputEncoder:
        """Read ``tokenizer.json`` from a model folder. Raises InputError if it is not there."""
        path = folder / TOKENIZER
        if not path.is_file():
            raise InputError(f"{path}: no such file; the encoder needs a fast tokenizer")
        return cls(Tokenizer.from_file(str(path)), input_format)

    def encode(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> list[list[Window]]:
        """The windows of each text, at least one. ``contexts``: one for each text, or None."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        firsts = self._first_segments(contexts, len(encodings))
        return [
            self._assemble(first, encoding)
            for first, encoding in zip(firsts, encodings, strict=True)
        ]

    def context_read(self, text: str, context: Context | None) -> str:
        """The part of ``context`` that ``encode`` puts before ``text``; empty for none."""
        (first,) = self._first_segments([context], 1)
        sentence = self._tokenizer.encode(text, add_special_tokens=False)
        kept = self._fitting(first, sentence)
        if first is None or kept is None or not len(kept):
            return ""
        return first[kept.offsets[0][0] :]

    def _first_segments(
        self, contexts: Sequence[Context | None] | None, count: int
    ) -> list[str | None]:
        if contexts is None or not self.format.context:
            return [None] * count
        if not self.format.previous:
            contexts = [replace(context, previous="") if context else None for context in contexts]
        return [context.text or None if context else None for context in contexts]

    def _assemble(self, first: str | None, sentence: Encoding) -> list[Window]:
        context = self._fitting(first, sentence)
        if context is not None:
            return [_window(self._tokenizer.post_process(context, sentence))]
        length = self.format.max_length - self._single
        if len(sentence) > length:
            sentence.truncate(length, stride=min(self.format.stride, length - 1))
        pieces = [sentence, *sentence.overflowing]
        return [_window(self._tokenizer.post_process(piece)) for piece in pieces]

    def _fitting(self, first: str | None, sentence: Encoding) -> Encoding | None:
        """``first`` cut to the room that ``sentence`` leaves; None where it leaves none."""
        room = self.format.max_length - self._pair - len(sentence)
        if first is None or room <= 0:
            return None
        # Encoded anew for each row, since cutting changes an encoding in place.
        context = self._tokenizer.encode(first, add_special_tokens=False)
        context.truncate(room, direction="left")
        return context


def _window(encoding: Encoding) -> Window:
    return Window(tuple(encoding.ids), tuple(encoding.type_ids))
