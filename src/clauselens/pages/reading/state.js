"use strict";
// What the page knows and where it stands. The files of this folder share one scope, in the order
// in which the page lists them. Text goes into the page as text nodes only.

// labels: name, code, classes, cut. sentences, by id: s scores in thousandths, l labels, n close
// calls (indices of labels), w windows, p section and c context (indices of texts), t nearest
// training sentences [index of learnt, cosine in thousandths], f foreign language, e error.
// learnt: text, labels, document, section, whether it was written for training.
const facts = JSON.parse(document.getElementById("facts").textContent);

const state = {
  view: null, // the section that is shown
  chosen: new Set(), // indices of the labels that are filtered by
  only: false, // whether the other sentences are hidden
  current: null, // the sentence that the keys start from
  opened: null, // the sentence whose details are open
};

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function drawn(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function chip(index) {
  const label = facts.labels[index];
  return make("span", { class: `chip ${label.classes}` },
    make("span", { class: "code" }, label.code), ` ${label.name}`);
}

function say(text, place = "status") {
  byId(place).textContent = text;
}

const cached = new Map();

// The sentences of a view in order; of one without sentences, none.
function sentencesOf(view) {
  if (!cached.has(view)) cached.set(view, [...view.querySelectorAll(".s")]);
  return cached.get(view);
}

const factsOf = (sentence) => facts.sentences[sentence.id];

const textOf = (sentence) => sentence.firstChild.textContent;

const isPolicy = (view) => view.classList.contains("policy");
