"""A policy in its own structure: parts of blocks of lines of sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from clauselens.inference.reading.records import Policy, ReadSentence

BlockKind = Literal["heading", "boilerplate", "paragraph", "list"]

FIRST_LEVEL, LAST_LEVEL = 3, 6
"""Heading levels of a policy's own headings: the page's title and the policy's stand above."""

_PART_BLOCKS = 30
"""A browser lays parts out when they come into view: small ones open soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A sentence in its line; ``spaced`` where the document has a space before it."""

    read: ReadSentence
    spaced: bool


@dataclass(slots=True)
class Block:
    """A heading, a paragraph, or the lines of a list or of boilerplate.

    ``level`` is that of a heading. ``flattened`` is a list that runs on in its paragraph, where
    each sentence is an item.
    """

    kind: BlockKind
    level: int = 0
    flattened: bool = False
    lines: list[list[Piece]] = field(default_factory=list)


def parts(policy: Policy) -> list[list[Block]]:
    """The blocks of ``policy`` in parts; a heading begins one."""
    found: list[list[Block]] = []
    for block in _blocks(policy):
        if not found or block.kind == "heading" or len(found[-1]) == _PART_BLOCKS:
            found.append([])
        found[-1].append(block)
    return found


def _blocks(policy: Policy) -> Iterator[Block]:
    block: Block | None = None
    end = 0
    for read in policy.sentences:
        gap = policy.document.text[end : read.sentence.start]
        end = read.sentence.end
        new_line = "\n" in gap or "\r" in gap
        piece = Piece(read=read, spaced=bool(gap))
        fitting = _fitting(read, block, new_line)
        if fitting is not block and block is not None:
            yield block
        if fitting.lines and not _starts_line(fitting, new_line):
            fitting.lines[-1].append(piece)
        else:
            fitting.lines.append([piece])
        block = fitting
    if block is not None:
        yield block


def _fitting(read: ReadSentence, block: Block | None, new_line: bool) -> Block:
    """The block that ``read`` goes on with, or a new one."""
    kind = read.sentence.kind
    if kind == "heading":
        level = min(FIRST_LEVEL + len(read.sentence.section), LAST_LEVEL)
        return Block("heading", level=level)
    if kind == "boilerplate":
        return block if block and block.kind == "boilerplate" else Block("boilerplate")
    if kind == "list_item":
        if block and block.kind == "list":
            return block
        return Block("list", flattened=block is not None and not new_line)
    return block if block and block.kind == "paragraph" and not new_line else Block("paragraph")


def _starts_line(block: Block, new_line: bool) -> bool:
    return new_line or (block.kind == "list" and block.flattened)
