"use strict";

// Tables sort by the figure behind the text; what has no figure stays last. Names sort as text.
function makeSortable(table) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    if (column === 0) return row.cells[0].textContent.trim();
    const value = row.cells[column].dataset.value;
    return value === undefined ? null : Number(value);
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const first = column === 0 ? "ascending" : "descending";
      const second = column === 0 ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? second : first;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => ({ row, value: key(row, column) }));
      rows.sort((a, b) => {
        if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
        return sign * compare(a.value, b.value);
      });
      body.append(...rows.map(({ row }) => row));
    });
  });
}

function makeFilters(form) {
  const section = document.getElementById(form.dataset.target);
  const items = [...section.querySelectorAll(".item")];
  const groups = [...section.querySelectorAll(".group")];
  const output = form.querySelector("output");
  const apply = () => {
    const { label, document: source, kind } = Object.fromEntries(new FormData(form));
    for (const item of items) {
      item.hidden = !(
        (label === "" || item.dataset.label.split(" ").includes(label)) &&
        (source === "" || item.dataset.document === source) &&
        (kind === "" || item.dataset.kind === kind)
      );
    }
    const any = label !== "" || source !== "" || kind !== "";
    for (const group of groups) {
      group.hidden = any && !group.querySelector(".item:not([hidden])");
    }
    const seen = items.filter((item) => !item.hidden).length;
    output.textContent = `${seen} of ${items.length} shown`;
  };
  const clear = () => {
    form.reset();
    apply();
  };
  form.addEventListener("change", apply);
  form.querySelector("button").addEventListener("click", clear);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
  return { section, clear };
}

// A link to a row shows it, whatever the filters say.
function reveal(filters) {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  const hiding = filters.find(({ section }) => section.contains(target));
  if (hiding && target.closest("[hidden]")) {
    hiding.clear();
    target.scrollIntoView();
  }
  if (target.matches(".item, .group")) target.focus({ preventScroll: true });
}

document.querySelectorAll("table.figures").forEach(makeSortable);
const filters = [...document.querySelectorAll("form.filters")].map(makeFilters);
addEventListener("hashchange", () => reveal(filters));
reveal(filters);
