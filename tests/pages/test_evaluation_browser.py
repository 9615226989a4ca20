"""The evaluation page in a real browser: it sorts, filters, links, loads nothing, is accessible."""

from __future__ import annotations

import json

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def open_page(browser):
    """Opens a folder's page in a new window; what the page complains of or asks for is an error."""
    opened = []

    def open_(folder, *, anchor="", width=1280, scheme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        page = context.new_page()
        address = f"file://{folder / 'evaluation.html'}"
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(address + anchor)
        opened.append((context, complaints))
        return page

    yield open_
    for context, complaints in opened:
        context.close()
        assert complaints == []


def visible(page, section):
    return page.locator(f"#{section} .item:visible").count()


def test_filters_show_what_they_say(open_page, evaluated_against):
    page = open_page(evaluated_against)
    for section, kinds in (
        ("errors", ["false_positive", "false_negative"]),
        ("comparison", ["fixed", "broken", "different"]),
    ):
        form = page.locator(f"form[data-target={section}]")
        total = visible(page, section)
        assert total == page.locator(f"#{section} .item").count() > 0
        found = []
        for kind in kinds:
            form.locator("[name=kind]").select_option(kind)
            number = page.locator(f"#{section} .item[data-kind={kind}]").count()
            assert visible(page, section) == number
            assert form.locator("output").inner_text() == f"{number} of {total} shown"
            found.append(number)
        assert sum(found) == total
        form.get_by_role("button", name="Clear").click()
        assert visible(page, section) == total
        first = page.locator(f"#{section} .item").first.get_attribute("data-label").split()[0]
        form.locator("[name=label]").select_option(first)
        assert 0 < visible(page, section) <= total
        for item in page.locator(f"#{section} .item:visible").all():
            assert first in item.get_attribute("data-label").split()
    # Categories without a row that is shown are away.
    assert page.locator("#errors .group:visible").count() == 1


def test_columns_sort_by_their_figures(open_page, evaluated):
    page = open_page(evaluated)
    table = page.locator("table", has=page.locator("#labels-table"))
    names = table.locator("tbody th").all_inner_texts()
    heading = table.locator("thead th", has_text="F1")
    for order, sign in (("descending", -1), ("ascending", 1)):
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == order
        cells = table.locator("tbody tr td:nth-child(5)").all()
        values = [cell.get_attribute("data-value") for cell in cells]
        numbers = [sign * float(value) for value in values if value is not None]
        assert numbers == sorted(numbers)
        # What has no figure is last, either way.
        assert None not in values[: len(numbers)]
    assert sorted(table.locator("tbody th").all_inner_texts()) == sorted(names)
    label = table.locator("thead th").first
    label.get_by_role("button").click()
    assert label.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") is None


def test_a_link_to_a_row_shows_it_whatever_the_filter(open_page, evaluated):
    page = open_page(evaluated)
    anchor = page.locator("#errors .item[data-kind=false_positive]").first.get_attribute("id")
    direct = open_page(evaluated, anchor=f"#{anchor}")
    assert direct.evaluate("document.activeElement.id") == anchor
    page.locator("form[data-target=errors] [name=kind]").select_option("false_negative")
    item = page.locator(f"#{anchor}")
    assert not item.is_visible()
    page.evaluate(f"location.hash = '{anchor}'")
    item.wait_for(state="visible")
    assert page.evaluate("document.activeElement.id") == anchor
    box = item.bounding_box()
    assert 0 <= box["y"] < 800


def test_all_is_there_without_scripts(open_page, evaluated_against):
    with_scripts = open_page(evaluated_against)
    without = open_page(evaluated_against, scripts=False)
    assert without.locator("form:visible, button:visible").count() == 0
    for selector in (".item:visible", "tbody tr:visible", "img:visible"):
        assert without.locator(selector).count() == with_scripts.locator(selector).count() > 0


# Layout hangs on the width, colours on the scheme: each value of both once.
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(open_page, axe, evaluated_against, scheme, width):
    page = open_page(evaluated_against, scheme=scheme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(axe)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    assert found["passes"]
    violations = [
        (violation["id"], node["html"][:200], node["failureSummary"][:300])
        for violation in found["violations"]
        for node in violation["nodes"][:3]
    ]
    assert violations == [], json.dumps(violations, indent=1)
