"""What HTML tags say of their place in a page."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode


def _names(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


SKIPPED = _names(
    "head script style template svg math iframe object embed audio video canvas textarea"
)
"""Elements whose contents are no text of the page."""

_FURNITURE_TAGS = _names("nav footer aside button select noscript dialog")
_FURNITURE_ROLES = _names(
    "navigation contentinfo complementary search dialog alertdialog menu menubar toolbar"
)
_FURNITURE_NAME = re.compile(
    r"(?:site-?|page-?|main-?|top-?)?(?:nav|navbar|navigation|menu|sidebar|footer|breadcrumbs?)"
    r"|(?:cookie|consent|gdpr)-?(?:banner|bar|notice|popup|modal|overlay|box|message)"
    r"|skip-?(?:link|nav|to-content)|pagination|newsletter|social(?:-links|-media|-share)?",
    re.IGNORECASE,
)

BLOCKS = _FURNITURE_TAGS | _names(
    """address article blockquote body caption center dd details div dl dt fieldset figcaption
    figure form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol optgroup option p pre
    section summary table tbody td tfoot th thead tr ul"""
)
"""Elements that begin and end a block of text."""


def is_furniture(node: LexborNode, tag: str) -> bool:
    """Whether a node is a page's furniture, by tag, role, class or id; never what holds a title."""
    attributes = node.attributes
    if tag in _FURNITURE_TAGS or attributes.get("role") in _FURNITURE_ROLES:
        return True
    if tag in ("html", "body", "main", "article", "h1"):
        return False
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".replace("_", "-")
    named = any(_FURNITURE_NAME.fullmatch(name) for name in names.split())
    return named and node.css_first("main, article, h1") is None
