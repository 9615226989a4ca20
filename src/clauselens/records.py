"""The frozen records that rooms hand to each other.

Offsets are counted in characters (Unicode code points) of ``Document.text``, half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal["sentence", "list_item", "heading", "boilerplate"]

KINDS: tuple[Kind, ...] = get_args(Kind)
CLAUSE_KINDS: tuple[Kind, ...] = ("sentence", "list_item")
"""The kinds that are annotated and scored; headings and boilerplate state nothing by kind."""

SECTION_SEPARATOR = " > "
"""Joins a heading path into the one string that rows and encoders carry."""

CONTEXT_SEPARATOR = " | "
"""Between section and lead-in in the encoder's first segment."""


Role = Literal["heading", "paragraph", "list_item", "table_row", "boilerplate"]
"""What a block of a document is, by its markup or typography."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """``document.text[start:end]``, and what the file says it is.

    ``level``: of a heading its rank, the smaller the further out; of a list item its depth from 1;
    of a table row 0 for the header row, else 1; otherwise 0.
    """

    start: int
    end: int
    role: Role
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A policy as text.

    ``sha256`` is the digest of the file's bytes (hexadecimal), ``language`` an ISO 639-1 code.
    ``blocks`` cover the text in order where the format shows structure; plain text has none.
    ``extracted`` says that the text is not the file's own: it has to be kept for the offsets.
    """

    id: str
    source: str
    sha256: str
    title: str
    language: str
    text: str
    blocks: tuple[Block, ...] = ()
    extracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the encoder sees before a sentence: its heading path, the lead-in of its list, and
    the clause that stands before it, if no heading stands between.
    """

    section: str = ""
    lead_in: str = ""
    previous: str = ""

    @property
    def text(self) -> str:
        """All of it in one line, what is nearest last; empty for none."""
        # The first item of a list stands behind its own lead-in.
        previous = "" if self.previous == self.lead_in else self.previous
        parts = (self.section, self.lead_in, previous)
        return CONTEXT_SEPARATOR.join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A unit of a document: ``document.text[start:end] == text``, always.

    ``section`` is the heading path, outermost first, without list markers; ``lead_in`` the
    sentence that introduces the list which the unit belongs to, empty if there is none.
    """

    id: str
    document_id: str
    start: int
    end: int
    text: str
    kind: Kind
    section: tuple[str, ...]
    lead_in: str

    @property
    def is_clause(self) -> bool:
        return self.kind in CLAUSE_KINDS


def contexts(sentences: Sequence[Sentence]) -> list[Context]:
    """The context of each unit of one or more documents, given in reading order."""
    found: list[Context] = []
    before: Sentence | None = None
    for sentence in sentences:
        if before and before.document_id != sentence.document_id:
            before = None
        found.append(
            Context(
                section=SECTION_SEPARATOR.join(sentence.section),
                lead_in=sentence.lead_in,
                previous=before.text if before else "",
            )
        )
        if sentence.is_clause:
            before = sentence
        elif sentence.kind == "heading":
            before = None
        # A page's running head or a table of contents parts no clause from the next.
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """The labels that one annotator gave one sentence; ``note`` holds doubts or a reason."""

    sentence_id: str
    annotator: str
    labels: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A row of a dataset. Bring-your-own rows need only ``text`` and ``labels``.

    ``start`` and ``end`` are -1 where the row comes from no document; ``duplicate_group`` is
    the index of its near-duplicate group in the dataset.
    """

    id: str
    text: str
    labels: tuple[str, ...]
    document_id: str = ""
    start: int = -1
    end: int = -1
    kind: str = "sentence"
    section: str = ""
    lead_in: str = ""
    previous: str = ""
    duplicate_group: int = -1
    split: str = "train"

    @property
    def context(self) -> Context:
        return Context(section=self.section, lead_in=self.lead_in, previous=self.previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the classifier says of one text.

    ``row`` counts inputs from 0. ``scores`` maps every label to a probability in [0, 1];
    ``labels`` are those at or above their own threshold, in the taxonomy's order. ``windows``
    is the number of windows in which the text was read, ``language`` the ISO 639 code of a text
    that is plainly not English (it is scored all the same). Where ``error`` is set, the row could
    not be read: it has no labels, no scores and 0 windows.
    """

    id: str
    row: int
    labels: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    windows: int = 0
    language: str | None = None
    error: str | None = None
