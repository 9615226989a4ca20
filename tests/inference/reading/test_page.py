"""What documents say cannot leave its place on the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from clauselens.inference.reading.page import render_report
from clauselens.inference.reading.records import ModelFacts, ReadingReport
from clauselens.model.training_clauses import Neighbour, TrainingClause
from clauselens.pages.render import shown
from clauselens.taxonomy import taxonomy_from_dict

HOSTILE = st.text(max_size=30) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "</style><style>*{display:none}",
        "<img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}{% raw %}",
        "\u202e\x00 &lt;b&gt; \u2028",
        "]]>\"' onfocus=alert(1) autofocus x='",
    ]
)


class Reader(HTMLParser):
    """Collects elements, and the text of each sentence by its id."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.scripts, self._inside = [], {}, [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag in ("span", "script", "title"):
            self._inside.append(attributes.get("id") or tag)

    def handle_endtag(self, tag):
        if tag in ("span", "script", "title"):
            self._inside.pop()

    def handle_data(self, data):
        if self._inside:
            self.texts.setdefault(self._inside[-1], []).append(data)


def report_of(policy, text):
    taxonomy = taxonomy_from_dict({"categories": ["a", f"b{'x' * len(text)}"]}, where="here")
    model = ModelFacts(
        name=text,
        checksum="0",
        engine="openvino fp32",
        taxonomy=taxonomy,
        cuts=(0.5, 0.5),
        has_neighbours=True,
    )
    clause = TrainingClause(
        id="x",
        text=text,
        labels=("a",),
        document_id=text,
        section=text,
        lead_in=text,
        written=False,
    )
    scored = tuple(
        replace(
            read,
            prediction=replace(read.prediction, scores={"a": 0.7, taxonomy.labels[1]: 0.1}),
            context=text,
            neighbours=(Neighbour(clause=clause, cosine=0.5),),
        )
        for read in policy.sentences
    )
    return ReadingReport(
        title=text,
        model=model,
        policies=(replace(policy, title=text, sentences=scored),),
        matrix=(),
        coverage=(),
        changes=None,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE.filter(bool), min_size=1, max_size=4), HOSTILE)
def test_hostile_text_is_text(make_policy, texts, title):
    policy = make_policy(texts, labels=[["a"]] * len(texts))
    policy = replace(policy, document=replace(policy.document, source=title, id=title))
    page = render_report(report_of(policy, title))
    page.encode("utf-8")
    reader = Reader(page)
    assert [a.get("type") for tag, a in reader.tags if tag == "script"] == [
        "application/json",
        None,
    ]
    assert [tag for tag, _ in reader.tags if tag in ("img", "iframe", "object", "form")] == []
    for tag, attributes in reader.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("href", "#").startswith("#")
    for read in policy.clauses:
        expected = shown(read.sentence.text).replace("\r\n", "\n").replace("\r", "\n")
        assert reader.texts[read.anchor][0] == expected
    facts = json.loads("".join(reader.texts["facts"]))
    assert facts["texts"][0] == ""
    assert facts["learnt"][0][0] == shown(title)


def test_ids_are_unique_and_links_lead_somewhere(compared):
    reader = Reader(render_report(compared))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.tags:
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids


def test_coverage_claims_nothing(compared):
    # The policies' own words may say anything.
    page = re.sub(r'<a class="found".*?</a>', "", render_report(compared), flags=re.DOTALL)
    coverage = page[page.index('id="coverage"') : page.index('id="about"')].casefold()
    assert "no legal advice" in coverage
    for claim in ("satisf", "complian", "fulfil", "missing"):
        assert claim not in coverage
