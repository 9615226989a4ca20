// Search in the text of the view. Matches are marked without touching the text, where the browser
// can (CSS highlights); the sentence of the present match is marked everywhere.

const search = { matches: [], place: -1 };

function runSearch() {
  const query = byId("search").value.trim().toLowerCase();
  search.matches = [];
  search.place = -1;
  if (query && isPolicy(state.view)) {
    for (const sentence of sentencesOf(state.view)) {
      const text = textOf(sentence).toLowerCase();
      // Few characters change their length with their case; in such a text only the first counts.
      const exact = text.length === textOf(sentence).length;
      for (let at = text.indexOf(query); at >= 0; at = text.indexOf(query, at + query.length)) {
        search.matches.push({ sentence, start: exact ? at : 0, length: exact ? query.length : 0 });
        if (!exact) break;
      }
    }
  }
  mark();
  if (query) say(search.matches.length ? `${search.matches.length} matches` : "No match");
  else say("");
}

function mark() {
  if (!window.CSS?.highlights) return;
  const ranges = search.matches.map(({ sentence, start, length }) => {
    const range = new Range();
    range.setStart(sentence.firstChild, start);
    range.setEnd(sentence.firstChild, start + length);
    return range;
  });
  CSS.highlights.set("match", new Highlight(...ranges));
  const present = ranges[search.place];
  CSS.highlights.set("present", present ? new Highlight(present) : new Highlight());
}

function goToMatch(step) {
  const shown = search.matches.length;
  if (!shown) return;
  search.place = (search.place + step + shown + (search.place < 0 && step < 0 ? 1 : 0)) % shown;
  mark();
  const { sentence } = search.matches[search.place];
  // The focus stays in the search, so that Enter goes on.
  reveal(sentence);
  openPanel(sentence);
  makeCurrent(sentence);
  say(`Match ${search.place + 1} of ${shown}`);
}

byId("search").addEventListener("input", runSearch);

byId("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    goToMatch(event.shiftKey ? -1 : 1);
  }
  if (event.key === "Escape") {
    byId("search").value = "";
    runSearch();
  }
});

byId("tools").addEventListener("click", (event) => {
  const button = event.target.closest("[data-search]");
  if (button) goToMatch(Number(button.dataset.search));
});
