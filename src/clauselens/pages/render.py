"""Renders a template of this folder into one page with a strict Content-Security-Policy.

What a page shows comes from documents that nobody vouches for. Jinja escapes every value, style
and script are the project's own files and run by their digest alone, and characters that could
reorder or hide text are shown by name.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_BASE_STYLE = "base.css"
_KEPT = frozenset("\n\t")
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but scripts and emoji need them."""


def render_page(
    template: str, *, styles: Sequence[str] = (), scripts: Sequence[str] = (), **context: Any
) -> str:
    """One HTML page from ``template``, a file of this folder, as are ``styles`` and ``scripts``.

    ``base.css`` is always there. Templates get ``csp``, ``style`` and ``script`` beside
    ``context``, and the filter ``shown``, which every text of a document goes through.
    """
    style = "\n".join(_source(name) for name in (_BASE_STYLE, *styles))
    script = "\n".join(_source(name) for name in scripts)
    sources = _digest(script) if script else "'none'"
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_digest(style)}; script-src {sources}"
    )
    return (
        _environment()
        .get_template(template)
        .render(csp=policy, style=Markup(style), script=Markup(script), **context)
    )


def shown(text: str) -> str:
    """``text`` with the characters that a reader would not see, or would be misled by, named."""
    return "".join(
        character if _is_plain(character) else f"[U+{ord(character):04X}]" for character in text
    )


def _is_plain(character: str) -> bool:
    if character in _KEPT or character in _JOINERS:
        return True
    # Controls, format characters (bidi marks among them), surrogates, private use.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")


def _digest(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _source(name: str) -> str:
    return files("clauselens.pages").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clauselens.pages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment
