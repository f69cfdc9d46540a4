// Beside the list: the most frequent rules, priorities, subjects, sources and tags of the range, to filter and to exclude.

import { get } from "./api.js";
import { $, button, count, el, visible } from "./dom.js";
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

export async function showFacets(begin, end) {
  const question = ++asked;
  const answers = await Promise.all(
    FIELDS.map(([field]) => get("facets", { begin: Math.floor(begin), end: Math.ceil(end), filter: state.filter, field }).catch(() => null)),
  );
  if (question !== asked || answers.includes(null)) return;
  const parts = FIELDS.flatMap(([field, title], index) => group(field, title, answers[index].values));
  const focused = document.activeElement?.getAttribute("aria-label");
  $("#facets").replaceChildren(...active(), ...parts);
  if (focused && document.activeElement === document.body) {
    [...$("#facets").querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  }
}

/** Return the terms of the filter, to remove each by a click: an excluded value is in no other list. */
function active() {
  const rows = terms(state.filter).map((one) => {
    const remove = () => go({ filter: toggled(state.filter, one) });
    return el("li", {}, button(`× ${visible(one, 80)}`, remove, { className: "only", "aria-label": `Remove ${visible(one, 80)}`, title: "Remove" }));
  });
  return rows.length ? [el("h2", {}, "Filter"), el("ul", {}, rows)] : [];
}

function group(field, title, values) {
  if (!values.length) return [];
  const rows = values.map(([value, number]) => {
    const [only, exclude] = filterButtons(field, value, visible(value, 80));
    return el("li", {}, only, el("span", { className: "figure" }, count(number)), exclude);
  });
  return [el("h2", {}, title), el("ul", {}, rows)];
}
