"""Wrong, damaged, hostile and oddly encoded documents: one clear error each, nothing fetched."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from itertools import pairwise

import pypdfium2
import pytest

from clauselens.corpus.formats import word
from clauselens.corpus.reader import MAX_FILE, read_document
from clauselens.errors import InputError

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.fixture
def formats(root):
    return root / "tests/fixtures/formats"


def word_file(formats, body):
    """A Word file with another main part."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(formats / "zhiqi.docx") as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, body if name == "word/document.xml" else source.read(name))
    return packed.getvalue()


def scanned():
    document = pypdfium2.PdfDocument.new()
    document.new_page(200, 200).close()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


CASES = {
    "scan.pdf": (lambda f: scanned(), "no text in it, only pictures"),
    "secret.pdf": (lambda f: (f / "encrypted.pdf").read_bytes(), "encrypted: save it without"),
    "cut.pdf": (lambda f: (f / "zhiqi.pdf").read_bytes()[:30_000], "damaged or no pdf file"),
    "junk.pdf": (lambda f: b"%PDF-1.7\n" + b"x" * 500, "damaged or no pdf file"),
    "page.pdf": (lambda f: b"<!DOCTYPE html><p>We", "named .pdf, but holds a page"),
    "words.pdf": (lambda f: b"We sell nothing.", "named .pdf, but holds something else"),
    "a.html": (lambda f: (f / "zhiqi.pdf").read_bytes(), "named .html, but holds a PDF"),
    "zip.pdf": (lambda f: zipped(a="b"), "named .pdf, but holds a zip archive"),
    "zip.docx": (lambda f: zipped(a="b"), "a zip archive, but no Word file"),
    "cut.docx": (lambda f: (f / "zhiqi.docx").read_bytes()[:5000], "damaged"),
    "old.docx": (
        lambda f: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "an old Word file or one with a password: save it",
    ),
    "binary.txt": (lambda f: bytes(range(256)), "named .txt, but holds binary data"),
    "binary.md": (lambda f: bytes(range(1, 256)) * 20, "no other encoding is plausible"),
    "empty.html": (lambda f: b"<html><body> </body></html>", "empty: no text in it"),
    "empty.docx": (lambda f: b"", "empty file"),
    "blank.txt": (lambda f: b"\xef\xbb\xbf", "empty: no text in it"),
    "tags.html": (lambda f: b"<p>We sell data.</p>" * 400_000, "more than 5,000,000 characters"),
    "bomb.docx": (lambda f: zip_bomb(f), "unpacks to more than"),
    "lol.docx": (lambda f: word_file(f, lol()), "damaged or no docx file"),
    "deep.docx": (
        lambda f: word_file(f, f"<w:document {NAMESPACE}><w:body>" + "<w:sdt>" * 5000),
        "damaged or no docx file",
    ),
}


def zip_bomb(formats):
    return word_file(formats, b" " * (word.MAX_UNPACKED + 1))


def lol():
    names = "abcdefghij"
    entities = "".join(f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in pairwise(names))
    return (
        f'<!DOCTYPE l [<!ENTITY a "lol">{entities}]><w:document {NAMESPACE}><w:body><w:p><w:r>'
        "<w:t>&j;</w:t></w:r></w:p></w:body></w:document>"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_bad_document_is_one_clear_error(tmp_path, formats, name):
    make, message = CASES[name]
    path = tmp_path / name
    path.write_bytes(make(formats))
    with pytest.raises(InputError) as caught:
        read_document(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["txt", "html", "pdf", "docx"])
def test_a_huge_file_is_refused_unread(tmp_path, suffix):
    path = tmp_path / f"huge.{suffix}"
    with path.open("wb") as file:
        file.truncate(3 * MAX_FILE)
    with pytest.raises(InputError, match="larger than"):
        read_document(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "html", ["<div><p>" * 500_000, '<div class="sidebar">' * 100_000, "<ul><li>a" * 200_000]
)
def test_a_page_that_nests_without_end_ends_in_bounded_time(tmp_path, html):
    path = tmp_path / "bomb.html"
    path.write_text(html + "We sell nothing.")
    with pytest.raises(InputError, match=r"reading it broke off .limits: 10 s, 2 GiB"):
        read_document(path)


def test_a_deep_page_is_read(tmp_path):
    path = tmp_path / "deep.html"
    path.write_text("<div>" * 3000 + "We sell nothing.")
    assert read_document(path).text == "We sell nothing.\n"


def test_nothing_is_fetched(tmp_path, formats):
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    page = (
        f'<html><head><base href="{url}"><link rel="stylesheet" href="{url}/a.css">'
        f'<script src="{url}/a.js"></script><meta http-equiv="refresh" content="0;url={url}">'
        f'<body><img src="{url}/a.png"><iframe src="{url}/f"></iframe><object data="{url}/o">'
        "</object><p>We sell nothing.</p></body></html>"
    )
    entity = (
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "{url}/x"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        f"<w:document {NAMESPACE}><w:body><w:p><w:r><w:t>We sell</w:t><w:t>&x;&f;</w:t></w:r></w:p>"
        "</w:body></w:document>"
    )
    try:
        for name, data in (
            ("a.html", page.encode()),
            ("a.md", f"We sell nothing. ![image]({url}/m.png)\n\n{page}".encode()),
            ("a.docx", word_file(formats, entity)),
        ):
            (tmp_path / name).write_bytes(data)
            text = read_document(tmp_path / name).text
            assert text.startswith("We sell")
            assert "root:" not in text
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_a_module_beside_the_documents_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("open('ran', 'w')")
    (tmp_path / "selectolax.py").write_text("open('ran', 'w')")
    (tmp_path / "a.html").write_text("<p>We sell nothing.</p>")
    monkeypatch.chdir(tmp_path)
    assert read_document(tmp_path / "a.html").text == "We sell nothing.\n"
    assert not (tmp_path / "ran").exists()


WORDS = "We don’t sell your données – ever. Ask Zoë, José or Jürgen: “it’s fine”."


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("utf8.html", f"<p>{WORDS}</p>".encode()),
        ("mark.html", f"<p>{WORDS}</p>".encode("utf-8-sig")),
        ("wide.html", f"<p>{WORDS}</p>".encode("utf-16")),
        ("wide.txt", WORDS.encode("utf-16")),
        ("said.html", f'<meta charset="windows-1252"><p>{WORDS}</p>'.encode("cp1252")),
        ("latin.html", f"<meta charset=iso-8859-1><p>{WORDS}</p>".encode("cp1252")),
        ("wrong.html", f'<meta charset="iso-8859-1"><p>{WORDS}</p>'.encode()),
        ("unknown.html", f'<meta charset="nonsense"><p>{WORDS}</p>'.encode("cp1252")),
        ("guessed.txt", WORDS.encode("cp1252")),
        ("guessed.md", WORDS.encode("cp1252")),
        ("mojibake.html", f"<p>{WORDS.encode().decode('cp1252', 'ignore')}</p>".encode()),
    ],
)
def test_encodings(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    document = read_document(tmp_path / name)
    found = document.text.strip()
    if name == "mojibake.html":
        # Bytes that the wrong code page does not have are lost.
        assert "We don’t sell your données – ever. Ask Zoë, José or Jürgen" in found
    else:
        assert found == WORDS
    assert document.extracted


def test_text_in_utf8_stays_as_it_is(tmp_path):
    odd = "We don’t\u00ad sell.\r\nDonnÃ©es\u200b stay."
    (tmp_path / "a.txt").write_bytes(odd.encode())
    document = read_document(tmp_path / "a.txt")
    assert (document.text, document.extracted, document.blocks) == (odd, False, ())
