"""Markdown (CommonMark and tables), read as the page that it stands for."""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt

from clauselens.corpus.formats.decoding import decode
from clauselens.corpus.formats.extraction import Extracted
from clauselens.corpus.formats.page import extract_markup

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def extract(data: bytes) -> Extracted:
    """Read Markdown; HTML in it counts, front matter is boilerplate. Raises InputError."""
    text = decode(data)
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    page = MarkdownIt("commonmark").enable("table").render(body)
    if front:
        page = f"<nav>{html.escape(front.group(1))}</nav>{page}"
    return extract_markup(page)
