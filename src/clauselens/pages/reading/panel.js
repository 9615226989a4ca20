// The details of one sentence, built when they are asked for.

const panel = byId("panel");
const HIGHEST = 5; // scores that are always shown
const EMPTY_PANEL = byId("panel-body").firstElementChild;

function openPanel(sentence) {
  if (state.opened === sentence) return;
  state.opened?.classList.remove("opened");
  state.opened = sentence;
  sentence.classList.add("opened");
  const position = sentencesOf(state.view).indexOf(sentence) + 1;
  byId("panel-title").textContent = `Sentence ${position} of ${sentencesOf(state.view).length}`;
  byId("panel-body").replaceChildren(...details(sentence));
  panel.classList.add("open");
  panel.scrollTop = 0;
}

function closePanel() {
  state.opened?.classList.remove("opened");
  state.opened = null;
  byId("panel-title").textContent = "Sentence";
  byId("panel-body").replaceChildren(EMPTY_PANEL);
  panel.classList.remove("open");
}

function details(sentence) {
  const of = factsOf(sentence);
  const parts = [buttons(sentence), quotation(sentence, of)];
  if (of.e) return [...parts, make("p", {}, `Not classified: ${of.e}.`)];
  if (of.f) parts.push(make("p", { class: "note" }, `Not in English, it seems (${of.f}): the model was trained on English.`));
  return [...parts, ...scores(of), reading(of), ...nearest(sentence, of)];
}

function buttons(sentence) {
  const link = make("a", { href: `#${sentence.id}` }, "Link");
  return make("p", { class: "actions" },
    make("button", { type: "button", "data-copy": "" }, "Copy as quotation"), link,
    make("button", { type: "button", "data-close": "" }, "Close"));
}

function quotation(sentence, of) {
  const section = facts.texts[of.p];
  return make("blockquote", {}, make("p", {}, textOf(sentence)),
    ...(section ? [make("footer", {}, section)] : []));
}

function scores(of) {
  const order = facts.labels.map((_, index) => index)
    .sort((one, other) => of.s[other] - of.s[one] || one - other);
  // The highest, and all that were found or nearly; the rest would push everything else away.
  const told = (index, place) => place < HIGHEST || of.l.includes(index) || of.n.includes(index);
  const rest = order.filter((index, place) => !told(index, place));
  const table = scoreTable(of, order.filter(told), "Scores and cut-offs");
  if (!rest.length) return [table];
  return [table, make("details", {}, make("summary", {}, `The other ${rest.length}`),
    scoreTable(of, rest, "Scores of the other categories"))];
}

function scoreTable(of, indices, caption) {
  return make("table", { class: "scores" },
    make("caption", {}, caption),
    make("thead", {}, make("tr", {},
      make("th", { scope: "col" }, "Category"),
      make("th", { scope: "col", class: "number" }, "Score"),
      make("th", { scope: "col", class: "number" }, "Cut-off"))),
    make("tbody", {}, ...indices.map((index) => score(of, index))));
}

function score(of, index) {
  const found = of.l.includes(index);
  const close = of.n.includes(index);
  const value = of.s[index] / 1000;
  return make("tr", { class: found ? "found" : "below" },
    make("th", { scope: "row" }, chip(index),
      ...(close ? [" ", make("span", { class: "close" }, "close call")] : []), bar(index, value)),
    make("td", { class: "number" }, value.toFixed(3)),
    make("td", { class: "number" }, facts.labels[index].cut.toFixed(3)));
}

function bar(index, value) {
  const cut = 100 * facts.labels[index].cut;
  return drawn("svg", { class: `bar ${facts.labels[index].classes}`, viewBox: "0 0 100 6",
    preserveAspectRatio: "none", "aria-hidden": "true" },
  drawn("rect", { class: "track", width: 100, height: 6 }),
  drawn("rect", { class: "fill", width: 100 * value, height: 6 }),
  drawn("rect", { class: "cut", x: Math.min(99.2, cut), width: 0.8, height: 6 }));
}

function reading(of) {
  const context = facts.texts[of.c];
  const windows = of.w === 1 ? "in one window" : `in ${of.w} overlapping windows`;
  return make("section", {}, make("h3", {}, "What the model read"),
    make("p", {}, context ? "The sentence, and before it this context:" : "The sentence without context."),
    ...(context ? [make("p", { class: "context" }, context)] : []),
    make("p", { class: "quiet" }, `Read ${windows}.`));
}

function nearest(sentence, of) {
  const title = make("h3", {}, "Nearest training sentences");
  if (!facts.hasNeighbours) {
    return [title, make("p", { class: "quiet" }, "Not available: the model folder has none. clauselens export adds them where the training data are at hand.")];
  }
  const items = of.t.map(([place, cosine]) => {
    const [text, labels, document, section, written] = facts.learnt[place];
    const source = written ? "written example" : [document, section].filter(Boolean).join(", ");
    const same = text === textOf(sentence) ? ["the same sentence"] : [];
    return make("li", {}, make("p", {}, text),
      make("p", {}, ...labels.flatMap((label) => [chip(label), " "])),
      make("p", { class: "quiet" }, [`cosine ${(cosine / 1000).toFixed(3)}`, source, ...same].filter(Boolean).join(" · ")));
  });
  return [title, make("ol", { class: "nearest" }, ...items)];
}

async function copyQuotation(sentence) {
  const of = factsOf(sentence);
  const policy = facts.policies[state.view.id];
  const file = location.pathname.split("/").pop();
  const source = [policy.title, policy.source, facts.texts[of.p]].filter(Boolean).join(", ");
  const text = `“${textOf(sentence).trim()}” (${source}; ${file}#${sentence.id})`;
  try {
    await navigator.clipboard.writeText(text);
    say("Copied as a quotation.");
  } catch {
    // Where a browser keeps the clipboard from files, the text is there to be copied by hand.
    const area = make("textarea", { readonly: "", rows: 4, "aria-label": "Quotation" });
    area.value = text;
    byId("panel-body").prepend(area);
    area.focus();
    area.select();
    say("Press the copy keys: the quotation is selected.");
  }
}

panel.addEventListener("click", (event) => {
  if (event.target.closest("[data-copy]")) copyQuotation(state.opened);
  if (event.target.closest("[data-close]")) backToSentence();
});

panel.addEventListener("keydown", (event) => {
  if (event.key === "Escape") backToSentence();
});

function backToSentence() {
  const sentence = state.opened;
  closePanel();
  if (sentence) focusSentence(sentence, { open: false });
}
