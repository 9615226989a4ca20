from __future__ import annotations

import shutil

import pytest

from clauselens.corpus.build import build_sentences, read_sentences
from clauselens.corpus.reader import read_corpus, read_document
from clauselens.errors import InputError


def copy_corpus(root, folder):
    shutil.copytree(root / "data/raw", folder)
    return folder


def test_a_changed_policy_is_named(root, tmp_path):
    raw = copy_corpus(root, tmp_path / "raw")
    file = raw / "003_3503b7024bc40af4.txt"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(InputError, match=r"003_3503b7024bc40af4\.txt: sha256 is .* has changed"):
        read_corpus(raw)


def test_line_endings_survive_and_a_byte_order_mark_does_not(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfOne.\r\nTwo.\r\n")
    assert read_document(path).text == "One.\r\nTwo.\r\n"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"\xff\xfe", "empty: no text in it"),
        ("b.txt", b"\xff\xfea", "begins as utf-16-le, but is not at byte 0"),
        ("a.exe", b"", "can read .txt, .md, .html, .htm, .pdf, .docx documents"),
    ],
)
def test_unreadable_documents_are_named(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_document(tmp_path / name)


def test_committed_sentences_are_what_the_segmentation_gives(root, tmp_path):
    build_sentences(root / "data/raw", tmp_path)
    for name in ("sentences.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (root / "data/sentences" / name).read_bytes()


def test_frozen_sentences_are_not_overwritten(root, tmp_path, documents):
    build_sentences(root / "data/raw", tmp_path)
    file = tmp_path / "sentences.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    with pytest.raises(InputError, match="frozen, and the segmentation now differs in 1 units"):
        build_sentences(root / "data/raw", tmp_path)
    assert file.read_bytes() == b"".join(lines[1:])


def test_offsets_that_do_not_match_are_named_with_file_and_row(tmp_path, root, documents):
    file = tmp_path / "s.jsonl"
    lines = (root / "data/sentences/sentences.jsonl").read_text().splitlines()
    file.write_text(lines[0] + "\n" + lines[1].replace('"start": 16', '"start": 17') + "\n")
    with pytest.raises(InputError, match=r"s\.jsonl:2: offsets 17-30 do not give this text"):
        read_sentences(file, documents)
