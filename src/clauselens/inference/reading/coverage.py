"""What policies have of categories, and of the articles that a taxonomy maps them to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import yaml

from clauselens.inference.reading.records import (
    ArticleCoverage,
    Finding,
    Findings,
    Item,
    ItemCoverage,
    ModelFacts,
    Policy,
)
from clauselens.taxonomy import Taxonomy

_RANGE = re.compile(r"\s*[–—-]\s*")
_LETTER = re.compile(r"\(([a-z])\)$")


def findings(policy: Policy, labels: Sequence[str], model: ModelFacts) -> Findings:
    """The sentences of ``policy`` that got one of ``labels``, best first; else the closest."""
    cuts = dict(zip(model.labels, model.cuts, strict=True))
    found: list[Finding] = []
    closest: tuple[float, Finding] | None = None
    for read in policy.clauses:
        scores = read.prediction.scores
        if not scores or not labels:
            continue
        given = [label for label in labels if label in read.labels]
        if given:
            best = max(given, key=lambda label: scores[label])
            found.append(Finding(read=read, label=best, score=scores[best]))
            continue
        near = max(labels, key=lambda label: scores[label] - cuts[label])
        distance = scores[near] - cuts[near]
        if closest is None or distance > closest[0]:
            closest = distance, Finding(read=read, label=near, score=scores[near])
    return Findings(
        policy=policy,
        # Python's sort is stable: equal scores stay in the order of the text.
        found=tuple(sorted(found, key=lambda finding: -finding.score)),
        closest=closest[1] if closest and not found else None,
    )


def coverage(policies: Sequence[Policy], model: ModelFacts) -> tuple[ArticleCoverage, ...]:
    """The articles that the taxonomy has mappings to, item by item, for every policy."""
    covered = []
    for key, articles in _articles().items():
        serving = _references(model.taxonomy, key)
        for article in articles:
            items = [_item(entry) for entry in article["items"]]
            labels = [_labels(item, serving) for item in items]
            if not any(labels):
                continue
            covered.append(
                ArticleCoverage(
                    title=article["article"],
                    items=tuple(
                        ItemCoverage(
                            item=item,
                            labels=given,
                            policies=tuple(findings(policy, given, model) for policy in policies),
                        )
                        for item, given in zip(items, labels, strict=True)
                    ),
                )
            )
    return tuple(covered)


def _articles() -> dict[str, Any]:
    source = files("clauselens.inference.reading") / "articles.yaml"
    articles: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return articles


def _item(entry: dict[str, str]) -> Item:
    return Item(id=str(entry["id"]), text=entry["text"], same_as=str(entry.get("as", "")))


def _references(taxonomy: Taxonomy, key: str) -> dict[str, list[str]]:
    """The places of a law that each label maps to, ranges spelled out."""
    return {
        category.id: [
            place
            for part in dict(category.mappings).get(key, "").split(",")
            for place in _spelled_out(part.strip())
        ]
        for category in taxonomy.categories
    }


def _spelled_out(reference: str) -> Iterator[str]:
    """``13(1)(c)–(e)`` as its three places, ``15–17`` as its three articles."""
    ends = _RANGE.split(reference)
    if len(ends) != 2:
        yield reference
        return
    first, last = ends
    if first.isdigit() and last.isdigit():
        yield from (str(number) for number in range(int(first), int(last) + 1))
        return
    letter = _LETTER.search(first)
    if letter and _LETTER.fullmatch(last):
        stem = first[: letter.start()]
        codes = range(ord(letter.group(1)), ord(last[1]) + 1)
        yield from (f"{stem}({chr(code)})" for code in codes)
        return
    yield from ends


def _labels(item: Item, serving: dict[str, list[str]]) -> tuple[str, ...]:
    places = [place for place in (item.id, item.same_as) if place]
    return tuple(
        label
        for label, references in serving.items()
        if any(_within(place, reference) for place in places for reference in references)
    )


def _within(place: str, reference: str) -> bool:
    """Whether ``place`` is ``reference`` or a part of it: 13(1)(a) is a part of 13(1)."""
    if not reference or not place.startswith(reference):
        return False
    rest = place[len(reference) :]
    return not rest or rest[0] == "(" or (reference[-1] == ")" and rest[0].isdigit())
