"""Pages escape what documents say, and let nothing run or load but their own files."""

from __future__ import annotations

import base64
import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from clauselens.pages.render import render_page, shown

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_a_page_allows_its_own_style_and_nothing_else():
    page = render_page("base.html", title="A policy")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    policy = policy.replace("&#39;", "'")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "unsafe" not in policy


def test_text_cannot_leave_its_place():
    page = render_page("base.html", title=HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@given(st.text())
def test_shown_text_holds_no_control_and_keeps_the_rest(text):
    found = shown(text)
    assert not set(found) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u0000\u200b"
    )
    assert shown(found) == found
    if text.isprintable():
        assert found == text
