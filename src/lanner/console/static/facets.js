// Beside the list: the most frequent rules, priorities, subjects, sources and tags of the range, to filter and to exclude.

import { get } from "./api.js";
import { $, button, count, el, refill, setText, visible } from "./dom.js";
import { go, state } from "./state.js";
import { term, terms, toggled } from "./terms.js";

const FIELDS = [
  ["rule", "Rules"],
  ["priority", "Priorities"],
  ["subject", "About"],
  ["source", "Sources"],
  ["tag", "Tags"],
];

/** Return the two buttons that filter by a value and exclude it. */
export function filterButtons(key, value, text) {
  const [wanted, excluded] = [term(key, value), `-${term(key, value)}`];
  const present = terms(state.filter);
  const toggle = (which) => () => go({ filter: toggled(state.filter, which) });
  const name = `${key} ${visible(String(value), 80)}`;
  return [
    button(text, toggle(wanted), { className: "only", "aria-pressed": present.includes(wanted), "aria-label": `Only ${name}`, title: "Filter" }),
    button("−", toggle(excluded), {
      className: "exclude", "aria-pressed": present.includes(excluded), "aria-label": `Exclude ${name}`, title: "Exclude",
    }),
  ];
}

let asked = 0;
let items = new Map(); // elements of the values, by field and value
let itemsOf = null; // the filter that they are for

export async function showFacets(begin, end) {
  const question = ++asked;
  const { filter } = state;
  const answers = [];
  // one after another: a browser opens six connections to a server at a time, and the list needs one
  for (const [field] of FIELDS) {
    const answer = await get("facets", { begin: Math.floor(begin), end: Math.ceil(end), filter, field }).catch(() => null);
    if (question !== asked || answer === null) return;
    answers.push(answer);
  }
  const known = filter === itemsOf ? items : new Map();
  [items, itemsOf] = [new Map(), filter];
  const parts = FIELDS.flatMap(([field, title], index) => group(field, title, answers[index].values, known));
  const note = answers.some((answer) => answer.exact === false) ? [el("p", { className: "quiet" }, "Only a part of the alerts was counted.")] : [];
  refill($("#facets"), ...active(), ...note, ...parts);
}

/** Return the terms of the filter, to remove each by a click: an excluded value is in no other list. */
function active() {
  const rows = terms(state.filter).map((one) => {
    const remove = () => go({ filter: toggled(state.filter, one) });
    return el("li", {}, button(`× ${visible(one, 80)}`, remove, { className: "only", "aria-label": `Remove ${visible(one, 80)}`, title: "Remove" }));
  });
  return rows.length ? [el("h2", {}, "Filter"), el("ul", {}, rows)] : [];
}

function group(field, title, values, known) {
  if (!values.length) return [];
  const rows = values.map(([value, number]) => {
    const id = `${field} ${value}`;
    const item = known.get(id) ?? newItem(field, value);
    items.set(id, item);
    setText(item.children[1], count(number));
    return item;
  });
  return [el("h2", {}, title), el("ul", {}, rows)];
}

function newItem(field, value) {
  const [only, exclude] = filterButtons(field, value, visible(value, 80));
  return el("li", {}, only, el("span", { className: "figure" }), exclude);
}
