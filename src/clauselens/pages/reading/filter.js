// The legend's entries become buttons that filter the sentences of the view by category.

for (const entry of document.querySelectorAll(".entry")) {
  const button = make("button", { type: "button", class: "toggle", "aria-pressed": "false" });
  button.append(...entry.childNodes);
  entry.append(button);
}

function isHit(sentence) {
  return state.chosen.size === 0 || factsOf(sentence).l.some((label) => state.chosen.has(label));
}

// A sentence is marked as its first category; while it is filtered by one, as that.
function markAs(sentence) {
  const { l: labels } = factsOf(sentence);
  const label = labels.find((one) => state.chosen.has(one)) ?? labels[0];
  const kept = ["hit", "opened"].filter((name) => sentence.classList.contains(name));
  sentence.className = ["s", label === undefined ? "none" : facts.labels[label].classes, ...kept].join(" ");
}

function applyFilter() {
  const { view, chosen } = state;
  for (const entry of document.querySelectorAll(".entry")) {
    const pressed = chosen.has(Number(entry.dataset.label));
    entry.firstElementChild.setAttribute("aria-pressed", String(pressed));
  }
  byId("clear").disabled = chosen.size === 0;
  byId("only").disabled = chosen.size === 0;
  byId("only").setAttribute("aria-pressed", String(state.only));
  if (!isPolicy(view)) return;
  let shown = 0;
  for (const sentence of sentencesOf(view)) {
    const hit = isHit(sentence);
    shown += hit;
    sentence.classList.toggle("hit", hit);
    if (factsOf(sentence).l.length > 1) markAs(sentence);
  }
  const text = view.querySelector(".text");
  text.classList.toggle("filtered", chosen.size > 0);
  text.classList.toggle("only", chosen.size > 0 && state.only);
  restCurrent();
  const names = [...chosen].sort((one, other) => one - other).map((label) => facts.labels[label].name);
  const all = sentencesOf(view).length;
  say(chosen.size ? `${shown} of ${all} sentences: ${names.join(", ")}` : `${all} sentences`);
}

document.addEventListener("click", (event) => {
  const toggle = event.target.closest(".toggle");
  if (toggle) {
    const label = Number(toggle.parentElement.dataset.label);
    if (!state.chosen.delete(label)) state.chosen.add(label);
    applyFilter();
  }
});

byId("only").addEventListener("click", () => {
  state.only = !state.only;
  applyFilter();
});

byId("clear").addEventListener("click", () => {
  state.chosen.clear();
  state.only = false;
  applyFilter();
  state.view.querySelector(".toggle").focus();
});
