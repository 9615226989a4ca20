// Going from sentence to sentence. One sentence of the text is in the tab order at a time.

function makeCurrent(sentence) {
  // Taken out of the tab order, even for a moment, it would lose the focus.
  if (sentence && sentence === state.current) return;
  for (const name of ["tabindex", "role", "aria-controls"]) state.current?.removeAttribute(name);
  state.current = sentence;
  if (!sentence) return;
  sentence.setAttribute("tabindex", "0");
  sentence.setAttribute("role", "button");
  sentence.setAttribute("aria-controls", "panel");
}

// The sentence that Tab reaches: the present one, or where it is hidden the first that is shown.
function restCurrent() {
  const shown = reachable();
  if (!shown.includes(state.current)) makeCurrent(shown[0] ?? null);
}

function reachable() {
  if (!isPolicy(state.view)) return [];
  return sentencesOf(state.view).filter(isHit);
}

function reveal(sentence) {
  if (!isHit(sentence)) {
    state.chosen.clear();
    state.only = false;
    applyFilter();
  }
  // At once: on the way, parts that were never laid out would come into view empty.
  sentence.scrollIntoView({ block: "center", behavior: "instant" });
}

function focusSentence(sentence, { open = true } = {}) {
  reveal(sentence);
  makeCurrent(sentence);
  if (open) openPanel(sentence);
  sentence.focus({ preventScroll: true });
}

function step(direction, wanted = () => true) {
  const shown = reachable();
  const from = shown.indexOf(state.current);
  for (let place = from + direction; place >= 0 && place < shown.length; place += direction) {
    if (wanted(shown[place])) {
      focusSentence(shown[place]);
      return true;
    }
  }
  return false;
}

const isCloseCall = (sentence) => factsOf(sentence).n.length > 0;

function stepToCloseCall(direction) {
  const calls = reachable().filter(isCloseCall);
  // Nothing is open yet: the present sentence itself may be the first.
  const here = !state.opened && isCloseCall(state.current ?? calls[0] ?? document.body);
  if (here) focusSentence(state.current);
  else if (!step(direction, isCloseCall)) {
    say(calls.length ? "No further close call in this direction" : "No close call");
    return;
  }
  say(`Close call ${calls.indexOf(state.current) + 1} of ${calls.length}`);
}

const KEYS = {
  ArrowDown: () => step(1),
  j: () => step(1),
  ArrowUp: () => step(-1),
  k: () => step(-1),
  n: () => stepToCloseCall(1),
  p: () => stepToCloseCall(-1),
  c: () => copyQuotation(state.current),
  "/": () => byId("search").focus(),
  Escape: () => closePanel(),
  " ": () => openPanel(state.current),
  Enter: () => {
    openPanel(state.current);
    byId("panel-title").focus();
  },
};

// Only while a sentence has the focus: elsewhere, and with Ctrl or Alt, keys are the browser's.
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.(".s") || event.ctrlKey || event.altKey || event.metaKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const sentence = event.target.closest(".s");
  // A reader who selects words is not choosing the sentence.
  if (sentence && getSelection().isCollapsed) {
    makeCurrent(sentence);
    openPanel(sentence);
    sentence.focus({ preventScroll: true });
  }
  const button = event.target.closest("[data-close-call]");
  if (button) stepToCloseCall(Number(button.dataset.closeCall));
});

document.addEventListener("focusin", (event) => {
  const sentence = event.target.closest(".s");
  if (sentence && event.target.matches(":focus-visible")) {
    makeCurrent(sentence);
    openPanel(sentence);
  }
});

// Resting the pointer on a sentence shows its details, unless one was chosen.
let resting = 0;
document.addEventListener("pointerover", (event) => {
  clearTimeout(resting);
  const sentence = event.target.closest?.(".s");
  const chosen = document.activeElement?.closest(".s") || panel.contains(document.activeElement);
  if (!sentence || event.pointerType !== "mouse" || chosen || getComputedStyle(panel).position === "fixed") return;
  resting = setTimeout(() => openPanel(sentence), 150);
});
