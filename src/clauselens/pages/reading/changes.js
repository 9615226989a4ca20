// Filters of the changes between two versions.

const changes = byId("changes");

function filterChanges() {
  const kind = byId("change-kind").value;
  const label = byId("change-label").value;
  const all = changes.querySelectorAll(".change");
  let shown = 0;
  for (const change of all) {
    const wanted = (!kind || change.dataset.kind === kind)
      && (!label || change.dataset.labels.split(" ").includes(label));
    change.hidden = !wanted;
    shown += wanted;
  }
  for (const group of changes.querySelectorAll(".group")) {
    group.hidden = !group.querySelector(".change:not([hidden])");
  }
  say(`${shown} of ${all.length} changes`, "change-status");
}

if (changes) {
  byId("change-filters").hidden = false;
  byId("change-filters").addEventListener("change", filterChanges);
  filterChanges();
}
