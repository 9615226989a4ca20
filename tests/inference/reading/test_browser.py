"""The page in a real browser: filters, keys, links, search, hostile text, accessibility."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from clauselens.inference.reading.report import read_report

HOSTILE = "\n\n".join(
    [
        "<script>alert(1)</script> We keep </script><img src=x onerror=alert(2)> your data.",
        "</style><style>body{display:none}</style> We sell your data to "
        '<a href="javascript:alert(3)">them</a>.',
        "{{ 7 * 7 }} {% raw %} ${alert(4)} \u202eWe collect your name.\u202c \x07 &lt;b&gt; <!--",
        f"We keep {'x' * 5000} for a year.",
        "<b><i onclick=alert(5)>We share it.</i></b> " * 2500,
    ]
)


@contextmanager
def opened(browser, address, *, width=1280, height=900, scheme="light", scripts=True):
    """A page, with what went wrong in it: console errors, dialogs, requests but for itself."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: page.problems.append(request.url))
    page.goto(address)
    assert page.problems == [address.partition("#")[0]]
    page.problems.clear()
    try:
        yield page
        assert page.problems == []
    finally:
        context.close()


@pytest.fixture(scope="module")
def one(page_of, single):
    return page_of(single, "one")


@pytest.fixture(scope="module")
def two(page_of, compared):
    return page_of(compared, "two")


def most_common(report):
    """The index of the label with the most sentences, and those sentences."""
    sizes = [len(row[0].found) for row in report.matrix]
    index = sizes.index(max(sizes))
    return index, report.matrix[index][0].found


def focused(page):
    return page.evaluate("document.activeElement.id")


def test_a_filter_shows_the_sentences_of_its_category(browser, one, single):
    index, found = most_common(single)
    label = single.model.labels[index].replace("_", " ")
    total = len(single.policies[0].clauses)
    with opened(browser, one) as page:
        entry = page.locator(f".entry[data-label='{index}'] button")
        assert entry.inner_text().split()[-1] == str(len(found))
        entry.click()
        assert entry.get_attribute("aria-pressed") == "true"
        assert page.locator("#status").inner_text() == f"{len(found)} of {total} sentences: {label}"
        hits = page.locator(".s.hit").evaluate_all("all => all.map(one => one.id)")
        assert set(hits) == {finding.read.anchor for finding in found}
        page.get_by_role("button", name="Only these").click()
        shown = page.locator(".s:visible").evaluate_all("all => all.map(one => one.id)")
        assert set(shown) == set(hits)
        page.get_by_role("button", name="Clear").click()
        assert page.locator(".s:visible").count() == total


def test_the_panel_shows_scores_context_and_neighbours(browser, one, single):
    read = next(r for r in single.policies[0].clauses if r.context and r.labels)
    with opened(browser, one) as page:
        page.locator(f"#{read.anchor} .tags").click()
        rows = page.locator("#panel .scores tbody tr")
        assert rows.count() == len(single.model.labels)
        best = max(read.prediction.scores, key=read.prediction.scores.get)
        assert f"{read.prediction.scores[best]:.3f}" in rows.first.inner_text()
        assert page.locator("#panel .scores .found").count() == len(read.labels)
        told = page.locator("#panel .context").inner_text()
        assert told.split() == read.context.split()
        assert "in one window" in page.locator("#panel").inner_text()
        nearest = page.locator("#panel .nearest li")
        assert nearest.count() == len(read.neighbours)
        assert nearest.first.locator("p").first.inner_text() == read.neighbours[0].clause.text


def test_the_keyboard_reaches_everything_and_is_never_caught(browser, one, single):
    anchors = [read.anchor for read in single.policies[0].clauses]
    close = [read.anchor for read in single.policies[0].clauses if read.close_calls]
    with opened(browser, one) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert focused(page) == "main"
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(focused(page))
            if reached[-1] == anchors[0]:
                break
        assert "search" in reached
        assert reached[-1] == anchors[0]
        page.keyboard.press("j")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("k")
        assert focused(page) == anchors[1]
        assert page.locator("#panel-title").inner_text() == f"Sentence 2 of {len(anchors)}"
        page.keyboard.press("Enter")
        assert focused(page) == "panel-title"
        page.keyboard.press("Escape")
        assert focused(page) == anchors[1]
        page.keyboard.press("n")
        assert focused(page) == next(a for a in close if anchors.index(a) > 1)
        page.keyboard.press("/")
        assert focused(page) == "search"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.search") == "-1"
        # Tab goes on, out of the page: nothing holds it.
        seen = set()
        for _ in range(80):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("document.activeElement.tagName"))
        assert "BODY" in seen


def test_close_calls_are_stepped_through(browser, one, single):
    close = [read.anchor for read in single.policies[0].clauses if read.close_calls]
    assert len(close) > 2
    with opened(browser, one) as page:
        visited = []
        for _ in close:
            page.get_by_role("button", name="Next close call").click()
            visited.append(focused(page))
        assert visited == close
        assert page.locator("#status").inner_text() == f"Close call {len(close)} of {len(close)}"
        page.get_by_role("button", name="Previous close call").click()
        assert focused(page) == close[-2]


def test_a_link_to_a_sentence_opens_it(browser, two, compared):
    from playwright.sync_api import expect

    read = compared.policies[1].clauses[-5]
    with opened(browser, f"{two}#{read.anchor}") as page:
        assert focused(page) == read.anchor
        assert page.locator(f"#{read.anchor}").is_visible()
        box = page.locator(f"#{read.anchor}").bounding_box()
        assert 0 <= box["y"] < 900
        assert read.sentence.text[:20] in page.locator("#panel blockquote").inner_text()
        assert page.locator(".views [aria-current]").inner_text() == "New version"
        # A link on the page leads to a sentence of another part.
        page.get_by_role("link", name="Coverage").click()
        link = page.locator("#coverage .found").first
        target = link.get_attribute("href")
        link.click()
        # The page hears of a new address only after the click is over.
        expect(page.locator(target)).to_be_focused()
        page.go_back()
        expect(page.locator("#coverage")).to_be_visible()


def test_search_goes_from_match_to_match(browser, one, single):
    texts = [(r.anchor, r.sentence.text.lower()) for r in single.policies[0].clauses]
    expected = [anchor for anchor, text in texts for _ in range(text.count("information"))]
    with opened(browser, one) as page:
        box = page.get_by_label("Search", exact=True)
        box.fill("INFORMATION")
        assert page.locator("#status").inner_text() == f"{len(expected)} matches"
        visited = []
        for _ in expected:
            box.press("Enter")
            visited.append(page.locator(".s.opened").get_attribute("id"))
        assert visited == expected
        assert page.locator(".s.opened").is_visible()
        box.press("Enter")
        assert page.locator("#status").inner_text() == f"Match 1 of {len(expected)}"
        box.press("Shift+Enter")
        assert page.locator("#status").inner_text() == f"Match {len(expected)} of {len(expected)}"
        box.fill("no policy says this")
        assert page.locator("#status").inner_text() == "No match"


def test_a_quotation_is_copied_with_its_source(browser, one, single):
    read = next(r for r in single.policies[0].clauses if r.sentence.section)
    with opened(browser, one) as page:
        page.locator(f"#{read.anchor} .tags").click()
        page.get_by_role("button", name="Copy as quotation").click()
        page.wait_for_function("document.getElementById('status').textContent.startsWith('Copied')")
        copied = page.evaluate("navigator.clipboard.readText()")
    assert read.sentence.text in copied
    assert single.policies[0].title in copied
    assert " › ".join(read.sentence.section) in copied
    assert copied.endswith(f"one.html#{read.anchor})")


def test_changes_are_filtered(browser, two, compared):
    with opened(browser, two) as page:
        assert page.locator("#changes").is_visible()
        total = len(compared.changes.changes)
        assert page.locator("#changes .change:visible").count() == total
        page.get_by_label("Kind").select_option("added")
        added = len(compared.changes.of_kind("added"))
        assert page.locator("#changes .change:visible").count() == added
        assert page.locator("#change-status").inner_text() == f"{added} of {total} changes"
        assert page.locator("#changes .change:visible ins").first.is_visible()
        page.get_by_label("Kind").select_option("")
        index = next(
            i
            for i, k in enumerate(compared.model.labels)
            if compared.changes.changes[0].labels[:1] == (k,)
        )
        page.get_by_label("Category").select_option(str(index))
        label = compared.model.labels[index]
        expected = sum(label in change.labels for change in compared.changes.changes)
        assert page.locator("#changes .change:visible").count() == expected


def test_hostile_text_runs_nothing(browser, classifier, page_of, tmp_path):
    name = "<img src=x onerror=alert(6)> {{ 7 * 7 }} \u202e.txt"
    (tmp_path / name).write_text(HOSTILE, encoding="utf-8")
    report = read_report(classifier, [tmp_path / name], title="</title><script>alert(7)</script>")
    with opened(browser, page_of(report, "hostile"), width=360, height=740) as page:
        assert page.title() == "</title><script>alert(7)</script>"
        assert page.locator("main").is_visible()
        text = page.locator(".text").inner_text()
        assert "<script>alert(1)</script>" in text
        assert "{{ 7 * 7 }}" in text
        assert "[U+202E]" in text
        assert page.locator("main img, .text b, .text i, .text a, .text script").count() == 0
        for place in (0, 2, -1):
            page.locator(".s").nth(place).evaluate("one => one.click()")
        assert page.locator("#panel img").count() == 0
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360


def test_without_scripts_all_of_it_can_be_read(browser, two, compared):
    from playwright.sync_api import expect

    with opened(browser, two, scripts=False) as page:
        for view in ("changes", "policy-1", "policy-2", "compare", "coverage", "about"):
            assert page.locator(f"#{view}").is_visible()
        count = sum(len(policy.clauses) for policy in compared.policies)
        assert page.locator(".s").count() == count
        assert not page.locator("#tools").is_visible()
        assert not page.locator("#panel").is_visible()
        link = page.locator("#compare td a").first
        target = link.get_attribute("href")
        link.click()
        page.wait_for_url(lambda url: url.endswith(target))
        expect(page.locator(target)).to_be_visible()


def test_printing_shows_every_part(browser, two):
    with opened(browser, two) as page:
        page.emulate_media(media="print")
        assert page.locator("#policy-2").is_visible()
        assert page.locator("#coverage").is_visible()
        assert not page.locator(".tools").first.is_visible()


# Layout hangs on the width, colours on the scheme: each value of both once.
@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 900, "light"), (360, 740, "dark")])
def test_nothing_breaks_the_rules_of_wcag_aa(browser, two, width, height, scheme):
    from axe_playwright_python.sync_playwright import Axe

    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    broken = []

    def check(page, where):
        found = Axe().run(page, options=options).response["violations"]
        broken.extend((where, rule["id"], rule["nodes"][0]["html"][:200]) for rule in found)

    with opened(browser, two, width=width, height=height, scheme=scheme) as page:
        views = page.locator(".views a").evaluate_all("all => all.map(one => one.hash)")
        assert views == ["#changes", "#policy-1", "#policy-2", "#compare", "#coverage", "#about"]
        for view in views:
            page.evaluate("hash => { location.hash = hash; }", view)
            page.wait_for_selector(f"{view}:visible")
            check(page, view)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("location.hash = 'policy-1'")
        page.locator("#policy-1 .s").nth(3).evaluate("one => one.click()")
        page.locator("#policy-1 .toggle").first.evaluate("one => one.click()")
        check(page, "details open, filtered")
    assert broken == []
