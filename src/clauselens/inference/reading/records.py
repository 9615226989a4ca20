"""What the reading report holds: every fact of the page and of the JSON beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clauselens.model.training_clauses import Neighbour
from clauselens.records import Document, Prediction, Sentence
from clauselens.taxonomy import Taxonomy

MARGIN = 0.1
"""A score as near as this to its label's cut-off is a close call."""

ChangeKind = Literal["added", "removed", "reworded", "relabelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSentence:
    """A unit of a policy with its prediction.

    ``anchor`` is its id in the page; ``context`` the part of section and lead-in that the model
    read; ``close_calls`` the labels whose score is within ``MARGIN`` of the cut-off;
    ``neighbours`` the nearest training clauses, nearest first. A heading has no scores.
    """

    sentence: Sentence
    prediction: Prediction
    anchor: str
    context: str
    close_calls: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.prediction.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A document as it was read; ``number`` counts from 1, ``sentences`` are all its units."""

    number: int
    title: str
    document: Document
    sentences: tuple[ReadSentence, ...]

    @property
    def clauses(self) -> tuple[ReadSentence, ...]:
        return tuple(read for read in self.sentences if read.sentence.is_clause)

    @property
    def anchor(self) -> str:
        return f"policy-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A sentence, and the category for which it stands here, with its score."""

    read: ReadSentence
    label: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one policy has of some categories: the sentences found, best first; where there are
    none, the one that came closest, if the policy has sentences at all.
    """

    policy: Policy
    found: tuple[Finding, ...]
    closest: Finding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that an article asks a notice to state; ``same_as`` names its counterpart."""

    id: str
    text: str
    same_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCoverage:
    """The categories that serve an item, and what each policy has of them."""

    item: Item
    labels: tuple[str, ...]
    policies: tuple[Findings, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCoverage:
    title: str
    items: tuple[ItemCoverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Words that both versions have (``same``), or the old (``removed``) or new one (``added``)."""

    kind: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A clause that differs between two versions.

    ``old`` is None for what was added, ``new`` for what was removed. ``runs`` spell out a
    rewording, and are empty otherwise.
    """

    kind: ChangeKind
    old: ReadSentence | None
    new: ReadSentence | None
    runs: tuple[Run, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels on either side, the new ones first."""
        sides = [side.labels for side in (self.new, self.old) if side]
        return tuple(dict.fromkeys(label for labels in sides for label in labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """From an old version to a new one: what changed, in the order of the new text.

    ``unchanged`` and ``moved`` count clauses of equal text in their place and elsewhere, those
    with other labels included.
    """

    old: Policy
    new: Policy
    changes: tuple[Change, ...]
    unchanged: int
    moved: int

    def of_kind(self, kind: ChangeKind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The model as the page names it; ``cuts`` has each label's cut-off, in their order."""

    name: str
    checksum: str
    engine: str
    taxonomy: Taxonomy
    cuts: tuple[float, ...]
    has_neighbours: bool

    @property
    def labels(self) -> tuple[str, ...]:
        return self.taxonomy.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingReport:
    """All that the page shows.

    ``matrix`` has a row for each label and in it the findings of each policy; ``coverage`` is
    empty for a taxonomy that maps to no article.
    """

    title: str
    model: ModelFacts
    policies: tuple[Policy, ...]
    matrix: tuple[tuple[Findings, ...], ...]
    coverage: tuple[ArticleCoverage, ...]
    changes: Changes | None
