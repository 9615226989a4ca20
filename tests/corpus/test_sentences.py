from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clauselens.corpus.lines import has_finite_verb
from clauselens.corpus.sentences import segment_document
from clauselens.records import Document, contexts

PIECES = st.sampled_from(
    ["1. ", "(1) ", "(a) ", "• ", "1.2 ", "IV. ", "We collect data", "OUR RULES ", "Cookies", ": "]
    + [
        ".",
        ". ",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "e.g. ",
        "Co., Ltd.",
        "。",
        "\u00a0",
        "【x】",
        "[",
        "é",
    ]
    + ["Policy.We", "following:", "This Policy describes:", "You may refuse.", "\U0001f512", "\t"]
)


def document(text: str) -> Document:
    return Document(id="d", source="", sha256="", title="", language="en", text=text)


def check_units(text: str) -> None:
    end = 0
    for unit in segment_document(document(text)):
        assert text[unit.start : unit.end] == unit.text
        assert unit.text == unit.text.strip()
        assert unit.text
        assert unit.start >= end
        assert not text[end : unit.start].strip()
        end = unit.end
    assert not text[end:].strip()


def test_corpus_offsets_are_exact_and_every_character_is_covered(documents):
    for policy in documents:
        check_units(policy.text)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_offsets_and_coverage_hold_for_any_structure(text):
    check_units(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_offsets_and_coverage_hold_for_any_text(text):
    check_units(text)


def test_a_unit_with_a_finite_verb_is_a_clause_unless_listed(sentences, root):
    listed = yaml.safe_load((root / "tests/fixtures/verbs_in_headings.yaml").read_text())
    allowed = {(row["document"], row["text"]) for row in listed}
    assert all(row["reason"] for row in listed)
    found = {
        (unit.document_id, unit.text)
        for unit in sentences
        if not unit.is_clause and has_finite_verb(unit.text)
    }
    assert found == allowed


def unit(sentences, document_id, opening):
    (match,) = (s for s in sentences if s.document_id == document_id and s.text.startswith(opening))
    return match


def test_a_section_whose_heading_is_missing_is_empty(sentences):
    for opening in ("Generally, we disclose", "We strive to maintain", "Huawei is a multinational"):
        assert unit(sentences, "huawei-enterprise", opening).section == ()
    assert unit(sentences, "huawei-enterprise", "By using our websites").section == (
        "Web Beacons and Pixel Tags",
    )


def test_a_numbered_heading_that_the_contents_name_outranks_its_number(sentences):
    assert unit(sentences, "haomi", "In order to fulfill legal obligations").section == (
        "How we collect your personal information",
        "Recruitment services",
    )
    assert unit(sentences, "haomi", "4. How we entrust you").kind == "heading"


def test_capital_headings_inside_a_line_are_units(sentences):
    heading = unit(sentences, "hualai", "RETENTION POLICY")
    assert (heading.kind, heading.text) == ("heading", "RETENTION POLICY")
    assert unit(sentences, "hualai", "Personal information will be held").section == (
        "RETENTION POLICY",
    )


def test_every_sentence_of_an_item_keeps_the_lead_in(sentences):
    item = unit(sentences, "haomi", "For example, share the information required")
    assert item.kind == "list_item"
    assert item.lead_in.endswith("except in the following circumstances:")


def test_a_heading_and_a_restarted_list_end_a_lead_in(sentences):
    assert unit(sentences, "huahuan", "Account data such as").lead_in == ""
    assert unit(sentences, "haomi", "1. In addition, our products").lead_in == ""
    assert unit(sentences, "haomi", "(2) We will collect the following").lead_in == ""


def test_an_inline_enumeration_stays_in_its_sentence(sentences):
    rights = unit(sentences, "huawei-enterprise", "To the extent required by applicable law, you")
    assert "(i)" in rights.text
    assert "(iv)" in rights.text


def test_a_flattened_list_is_cut_behind_its_lead_in():
    text = (
        "We may use your data for the following purposes: Providing services to you. "
        "Improving our products. Talking to you about your device."
    )
    units = segment_document(document(text))
    assert [u.kind for u in units] == ["sentence", "list_item", "list_item", "list_item"]
    assert all(u.lead_in == units[0].text for u in units[1:])


def test_abbreviations_and_missing_spaces():
    text = (
        "Foo Co., LTD. is at No.26, 6th Street,Shangdi, e.g. in Beijing. Read this Policy.We care."
    )
    assert [u.text for u in segment_document(document(text))] == [
        "Foo Co., LTD. is at No.26, 6th Street,Shangdi, e.g. in Beijing.",
        "Read this Policy.",
        "We care.",
    ]


def test_contents_lists_are_boilerplate_wherever_they_stand(sentences):
    ends = [s for s in sentences if s.document_id == "zhiqi" and s.kind == "boilerplate"]
    assert len(ends) == 8
    starts = [s for s in sentences if s.document_id == "huahuan" and s.kind == "boilerplate"]
    assert [s.text for s in starts][:2] == ["Login Register", "1. Personal Data We Process"]


def outline_of(text):
    return [(u.kind, u.text, u.section) for u in segment_document(document(text))]


def test_the_number_of_a_capital_heading_belongs_to_it():
    text = (
        "PRIVACY NOTICE\n\n1. WHO WE ARE\n\nWe are Foo GmbH.\n\n2. CHANGES\n\nWe may change this."
    )
    assert outline_of(text) == [
        ("heading", "PRIVACY NOTICE", ()),
        ("heading", "1. WHO WE ARE", ()),
        ("sentence", "We are Foo GmbH.", ("WHO WE ARE",)),
        ("heading", "2. CHANGES", ()),
        ("sentence", "We may change this.", ("CHANGES",)),
    ]


def test_a_numbered_title_between_numbered_paragraphs_is_a_heading():
    text = "Your rights\n\n2.1 You may ask us.\n\n2.2 Erasure\n\nWe erase your data.\n"
    assert outline_of(text)[2:] == [
        ("heading", "2.2 Erasure", ("Your rights",)),
        ("sentence", "We erase your data.", ("Your rights", "Erasure")),
    ]


def test_the_last_item_of_a_list_without_stops_is_no_heading():
    text = "Our cookies\n\nWe use:\ni) session cookies\nii) persistent cookies\n\nYou may refuse.\n"
    kinds = [kind for kind, _, _ in outline_of(text)]
    assert kinds == ["heading", "sentence", "list_item", "list_item", "sentence"]


def test_the_sentence_before_is_the_clause_before_and_never_crosses_a_heading(sentences):
    told = contexts(sentences)
    for i, (unit, context) in enumerate(zip(sentences, told, strict=True)):
        behind = [u for u in sentences[:i] if u.document_id == unit.document_id]
        # What is no clause and no heading parts nothing: a table of contents, a running head.
        before = next((u for u in reversed(behind) if u.kind != "boilerplate"), None)
        assert context.previous == (before.text if before and before.is_clause else "")
    assert sum(context.previous != "" for context in told) > len(told) / 2
    across = [
        unit
        for skipped, unit, context in zip(sentences, sentences[1:], told[1:], strict=False)
        if skipped.kind == "boilerplate" and unit.is_clause and context.previous
    ]
    assert len(across) == 2
