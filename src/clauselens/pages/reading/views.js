// One part of the page is shown at a time; the address says which, or which sentence.

const views = [...document.querySelectorAll(".view")];
const links = [...document.querySelectorAll(".views a")];

function show(view) {
  if (state.view === view) return;
  closePanel();
  makeCurrent(null);
  state.view = view;
  for (const one of views) one.hidden = one !== view;
  for (const link of links) {
    const current = link.hash === `#${view.id}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    // On a narrow screen the row of links scrolls sideways.
    if (current) link.closest("ul").scrollLeft = link.offsetLeft - link.closest("ul").offsetLeft;
  }
  byId("tools").hidden = !isPolicy(view);
  panel.hidden = !isPolicy(view);
  document.body.classList.toggle("beside", isPolicy(view));
  runSearch();
  applyFilter();
}

// The element that the address names, if it is one of ours.
function addressed() {
  return location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
}

function follow() {
  const target = addressed();
  const view = target?.closest(".view");
  if (!view) {
    if (!state.view) show(views[0]);
    return;
  }
  show(view);
  if (target.matches(".s")) focusSentence(target);
  else if (target === view) {
    view.querySelector("h2").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  } else target.scrollIntoView({ block: "center" });
}

document.body.classList.add("scripted");
// On a narrow screen the legend would stand before the text, as long as the screen.
if (matchMedia("(max-width: 64rem)").matches) {
  for (const legend of document.querySelectorAll(".legend")) legend.open = false;
}
addEventListener("hashchange", follow);
follow();
