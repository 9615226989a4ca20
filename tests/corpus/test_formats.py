"""The corpus in other formats reads as the original; what pages, Word files and PDFs show holds."""

from __future__ import annotations

import io
from collections import Counter

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clauselens.corpus.build import build_sentences, read_sentences
from clauselens.corpus.formats.markdown import extract as extract_markdown
from clauselens.corpus.formats.page import extract_markup
from clauselens.corpus.reader import read_corpus, read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.records import Document, contexts
from clauselens.storage import sha256_file

LEAST = {"html": 0.99, "docx": 0.99, "md": 0.99, "pdf": 0.97}
"""The share of clauses that must be the same, both ways."""


@pytest.fixture(scope="session")
def formats(root):
    return root / "tests/fixtures/formats"


def plain(text):
    # A drawn bullet is put in as •, whatever sign the text had.
    return " ".join(text.replace("·", "•").split())


def keys(units, *, context):
    for unit, told in zip(units, contexts(units), strict=True):
        if unit.is_clause:
            place = (told.section, plain(told.lead_in), plain(told.previous)) if context else ()
            yield (plain(unit.text), *place)


def shares(originals, found, *, context):
    """Of the original clauses those that were found, and of the found those that are original."""
    ours, theirs = (Counter(keys(units, context=context)) for units in (originals, found))
    common = (ours & theirs).total()
    return common / ours.total(), common / theirs.total()


def check_units(document):
    units = segment_document(document)
    end = 0
    for unit in units:
        assert document.text[unit.start : unit.end] == unit.text
        assert unit.text == unit.text.strip()
        assert unit.start >= end
        assert not document.text[end : unit.start].strip()
        end = unit.end
    assert not document.text[end:].strip()
    return units


@pytest.mark.parametrize("suffix", LEAST)
def test_the_corpus_reads_the_same_from_every_format(formats, documents, sentences, suffix):
    found = [
        unit
        for policy in documents
        for unit in check_units(read_document(formats / f"{policy.id}.{suffix}"))
    ]
    for context in (False, True):
        assert min(shares(sentences, found, context=context)) >= LEAST[suffix]


def test_labels_are_the_same_from_every_format(formats, classifier, root):
    def labelled(path):
        return Counter(
            (plain(unit.text), prediction.labels)
            for unit, prediction in classifier.predict_document(path)
            if unit.is_clause
        )

    ours = labelled(root / "data/raw/000_b4e8dd4c03d9a6ef.txt")
    for suffix, least in LEAST.items():
        theirs = labelled(formats / f"huahuan.{suffix}")
        assert (ours & theirs).total() >= least * max(ours.total(), theirs.total())


def page(html):
    found = extract_markup(html)
    return check_units(document_of(found))


def document_of(found):
    return Document(
        id="d", source="", sha256="", title="", language="en", text=found.text, blocks=found.blocks
    )


def seen(units):
    return [(unit.kind, unit.text, unit.section, unit.lead_in) for unit in units]


def clauses(units):
    return [unit.text for unit in units if unit.is_clause]


def test_a_site_page_is_told_from_its_furniture(formats):
    units = check_units(read_document(formats / "site.html"))
    assert [unit.text for unit in units if unit.kind == "boilerplate"] == [
        *("We use cookies.", "Accept", "Skip to content", "Acme", "Home", "Products", "Home"),
        *("Legal", "On this page", "What we collect", "Last updated: 3 May 2024", "Related"),
        "© Acme",
    ]
    collect, keep = ("What we collect",), ("How long we keep data",)
    lead, header = "We collect the following data:", "Data | Period"
    contact = "• Contact data, such as:"
    assert [row for row in seen(units) if row[0] not in ("boilerplate", "heading")] == [
        ("sentence", lead, collect, ""),
        ("list_item", contact, collect, lead),
        ("list_item", "a) your name", collect, contact),
        ("list_item", "b) your e-mail address", collect, contact),
        ("list_item", "• Usage data that our servers record.", collect, lead),
        ("sentence", "We may ask you for more.", collect, ""),
        ("list_item", "1) We then tell you why.", collect, ""),
        ("list_item", "2) You may refuse.", collect, ""),
        (
            "sentence",
            "We set cookies & read them on the user’s device.",
            (*collect, "Cookies"),
            "",
        ),
        ("list_item", "Account data | Until you delete it", keep, header),
        ("list_item", "Logs | 30 days", keep, header),
        ("sentence", "Backups live for 90 days.", (*keep, "Backups"), ""),
        ("list_item", "• Controller: Acme GmbH is the controller.", (*keep, "Backups"), ""),
        ("list_item", "• Personal data: Any information about a person.", (*keep, "Backups"), ""),
    ]


def test_div_soup_without_headings_reads_as_plain_text():
    units = page(
        "<div>Privacy Policy</div><div>1. Data we collect</div><div>We collect your name. "
        "We keep it.</div><div>2. Your rights</div><div>You may object.</div>"
    )
    assert [(unit.kind, unit.text, unit.section) for unit in units] == [
        ("heading", "Privacy Policy", ()),
        ("heading", "1. Data we collect", ()),
        ("sentence", "We collect your name.", ("Data we collect",)),
        ("sentence", "We keep it.", ("Data we collect",)),
        ("heading", "2. Your rights", ()),
        ("sentence", "You may object.", ("Your rights",)),
    ]


def test_items_that_hold_headings_are_sections():
    units = page(
        "<h1>Privacy</h1><ol><li><h2>Data</h2><p>We collect your name.</p></li>"
        "<li><h2>Rights</h2><p>You may object.</p></li></ol>"
    )
    assert seen(units)[1:] == [
        ("heading", "1. Data", (), ""),
        ("sentence", "We collect your name.", ("Data",), ""),
        ("heading", "2. Rights", (), ""),
        ("sentence", "You may object.", ("Rights",), ""),
    ]


def test_a_contents_list_with_links_is_boilerplate():
    links = "".join(f'<li><a href="#{n}">{n}</a></li>' for n in ("Data", "Rights", "Contact"))
    sections = "".join(f"<h2>{n}</h2><p>We do it.</p>" for n in ("Data", "Rights", "Contact"))
    units = page(f"<h1>Privacy notice</h1><p>Contents</p><ul>{links}</ul>{sections}")
    assert [u.text for u in units if u.kind == "boilerplate"][-3:] == [
        *("• Data", "• Rights", "• Contact")
    ]
    assert [u.section for u in units if u.is_clause] == [("Data",), ("Rights",), ("Contact",)]


def test_folded_and_scripted_text():
    units = page(
        "<script>document.write('We sell.')</script><style>p {}</style>"
        '<div style="display:none"><p>We keep logs.</p></div>'
        "<details><summary>Your rights</summary><p>You may object.</p></details>"
    )
    assert clauses(units) == ["We keep logs.", "You may object."]
    assert units[-1].section == ("Your rights",)


def test_a_layout_table_is_read_as_text():
    units = page(
        "<table><tr><td>Menu</td><td><h2>Data</h2><p>We collect data.</p></td></tr></table>"
    )
    assert clauses(units) == ["We collect data."]


MARKUP = st.sampled_from(
    [
        *("<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<ol start=3>", "<h2>", "</h2>"),
        *("<table>", "<tr>", "<td>", "<th>", "</table>", "<br>", "<b>", "</b>", "<nav>", "</nav>"),
        *("<dl>", "<dt>", "<dd>", "</dl>", "<pre>", "</pre>", "<button>", "<summary>", "</div>"),
        *(
            "We collect data. ",
            "following:",
            "1) ",
            "Cookies",
            " ",
            "\n",
            "&nbsp;",
            "&#0;",
            "\u200b",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MARKUP, max_size=40).map("".join))
def test_offsets_and_coverage_hold_for_any_markup(html):
    for extract in (extract_markup, lambda text: extract_markdown(text.encode())):
        try:
            found = extract(html)
        except InputError:
            continue  # Markup without text.
        assert [b.start for b in found.blocks] == sorted(b.start for b in found.blocks)
        check_units(document_of(found))


def test_markdown_structure():
    found = extract_markdown(
        b"---\ntitle: x\n---\n# Privacy\n\n## Data\n\nWe collect:\n\n- names,\n    1. first\n"
        b"- logs\n\n| Data | Period |\n|---|---|\n| Logs | 30 days |\n\n"
        b"## Rights\n\nYou may <b>object</b>.\n"
    )
    assert seen(check_units(document_of(found))) == [
        ("boilerplate", "title: x", (), ""),
        ("heading", "Privacy", (), ""),
        ("heading", "Data", (), ""),
        ("sentence", "We collect:", ("Data",), ""),
        ("list_item", "• names,", ("Data",), "We collect:"),
        ("list_item", "1. first", ("Data",), "We collect:"),
        ("list_item", "• logs", ("Data",), "We collect:"),
        ("heading", "Data | Period", ("Data",), ""),
        ("list_item", "Logs | 30 days", ("Data",), "Data | Period"),
        ("heading", "Rights", (), ""),
        ("sentence", "You may object.", ("Rights",), ""),
    ]


@pytest.fixture
def word_file(tmp_path):
    """Headings and lists by style, a table, a header and a footer, a bold heading, a deletion."""
    file = docx.Document()
    file.sections[0].header.paragraphs[0].text = "Acme confidential"
    file.sections[0].footer.paragraphs[0].text = "Page 1"
    file.add_heading("Privacy notice", 0)
    file.add_heading("Data", 1)
    file.add_paragraph("We collect:")
    file.add_paragraph("your name", style="List Number")
    file.add_paragraph("your address", style="List Number")
    file.add_heading("Cookies", 2)
    file.add_paragraph("We use:")
    file.add_paragraph("session cookies", style="List Bullet")
    file.add_paragraph().add_run("Opting out").bold = True
    paragraph = file.add_paragraph("You may refuse.")
    deleted = docx.oxml.parse_xml(
        '<w:del xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:r><w:t>We sell.</w:t></w:r></w:del>"
    )
    paragraph._p.append(deleted)
    table = file.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Data", "Period", "Logs", "30 days"), strict=True):
        cell.text = text
    for cell in table.rows[0].cells:
        cell.paragraphs[0].runs[0].bold = True
    path = tmp_path / "policy.docx"
    file.save(path)
    return path


def test_word_styles_give_the_structure(word_file):
    assert seen(check_units(read_document(word_file))) == [
        ("boilerplate", "Acme confidential", (), ""),
        ("heading", "Privacy notice", (), ""),
        ("heading", "Data", (), ""),
        ("sentence", "We collect:", ("Data",), ""),
        ("list_item", "1. your name", ("Data",), "We collect:"),
        ("list_item", "2. your address", ("Data",), "We collect:"),
        ("heading", "Cookies", ("Data",), ""),
        ("sentence", "We use:", ("Data", "Cookies"), ""),
        ("list_item", "• session cookies", ("Data", "Cookies"), "We use:"),
        ("heading", "Opting out", ("Data", "Cookies"), ""),
        ("sentence", "You may refuse.", ("Data", "Cookies", "Opting out"), ""),
        ("heading", "Data | Period", ("Data", "Cookies", "Opting out"), ""),
        ("list_item", "Logs | 30 days", ("Data", "Cookies", "Opting out"), "Data | Period"),
        ("boilerplate", "Page 1", (), ""),
    ]


def test_running_heads_and_page_numbers_are_boilerplate(formats):
    units = segment_document(read_document(formats / "zhiqi.pdf"))
    pages = [u.text for u in units if u.text.startswith("Page ")]
    assert pages == [f"Page {n} of {len(pages)}" for n in range(1, len(pages) + 1)]
    heads = [u for u in units if u.text == "Personal Information Protection Policy"]
    assert [u.kind for u in heads].count("boilerplate") == len(pages)
    assert not any("Page 2" in u.text for u in units if u.is_clause)


def test_a_corpus_of_other_formats_keeps_its_texts(formats, tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    (raw / "p.html").write_bytes((formats / "zhiqi.html").read_bytes())
    digest = sha256_file(raw / "p.html")
    (raw / "sources.yaml").write_text(f"- {{id: p, file: p.html, sha256: {digest}}}\n")
    built = build_sentences(raw, out)
    text = (out / "texts/p.txt").read_text()
    assert all(text[unit.start : unit.end] == unit.text for unit in built.sentences)
    assert read_sentences(built.path, read_corpus(raw)) == list(built.sentences)


def test_a_document_reads_the_same_twice(word_file):
    again = io.BytesIO(word_file.read_bytes())
    first = read_document(word_file)
    word_file.write_bytes(again.getvalue())
    assert read_document(word_file) == first
