// Why an alert fired: first the tests that decided, then the whole condition, part by part.

import { el, longText, visible } from "./dom.js";

const valueText = (value) => (value === null || value === undefined ? "no value" : JSON.stringify(value));

/** Return the test that a path of indexes leads to, [part, isNegated]: below an odd number of "not" it decided by not being true. */
function follow(part, path) {
  let isNegated = false;
  for (const index of path) {
    if (part.kind === "not") isNegated = !isNegated;
    part = part.parts[index];
  }
  return [part, isNegated];
}

function testText(part) {
  const line = [longText(part.text ?? "", "code")];
  for (const [index, [name, value]] of Object.entries(part.values ?? {}).entries()) {
    line.push(index ? `; ${visible(name)} ` : " → ", longText(valueText(value), "value"));
  }
  return line;
}

const mark = (holds) => el("span", { className: holds ? "yes" : "no" }, holds ? "✓ " : "✗ ", el("span", { className: "vh" }, holds ? "true: " : "false: "));

const titles = { all: "all of", one: "one of", not: "not" };

function tree(part) {
  const names = [...(part.macros ?? []).map((name) => `macro ${name}`), ...(part.exception ? [`exception ${part.exception}`] : [])];
  const title = names.length ? `${names.map((name) => visible(name)).join(", ")}: ` : "";
  const line = el("div", {}, mark(part.holds), title, part.kind === "test" ? testText(part) : titles[part.kind] ?? part.kind);
  const parts = part.parts ?? [];
  if (!parts.length) return el("li", {}, line);
  // the parts that decided come first, the others after a line to open
  const decides = (child) => child.holds === part.holds;
  const isShort = part.kind !== "one" || !part.holds || parts.length < 3;
  const [first, rest] = isShort ? [[...parts].sort((a, b) => decides(b) - decides(a)), []] : split(parts);
  const children = el("ul", { className: "why" }, first.map(tree));
  if (rest.length) {
    const more = el("details", {}, el("summary", {}, `${rest.length} other alternatives`));
    more.addEventListener("toggle", () => more.append(el("ul", { className: "why" }, rest.map(tree))), { once: true });
    children.append(el("li", {}, more));
  }
  return el("li", {}, line, children);
}

function split(parts) {
  const first = parts.findIndex((part) => part.holds);
  return [[parts[first]], parts.toSpliced(first, 1)];
}

/** Return elements for what an answer remarks on itself. */
export const remarks = (lines) => (lines ?? []).map((line) => el("p", { className: "quiet" }, visible(line, 1000)));

/** Return elements for an explanation as the API gives it. */
export function why(explanation) {
  if (explanation.unavailable) return [el("p", { className: "quiet" }, `Unavailable: ${visible(explanation.unavailable, 1000)}`)];
  const decided = (explanation.deciding ?? []).map((path) => follow(explanation.condition, path));
  const shown = [];
  if (!explanation.matches) shown.push(el("p", { className: "quiet" }, "The stored rule does not match this event."));
  if (explanation.taken_by) shown.push(el("p", {}, `${visible(explanation.taken_by)} raises the alert, because it comes first.`));
  shown.push(el("ul", { className: "deciding" }, decided.map(([part, isNegated]) => el("li", {}, mark(part.holds !== isNegated), isNegated ? "not " : "", testText(part)))));
  const whole = el("details", {}, el("summary", {}, "The whole condition"), el("ul", { className: "why" }, tree(explanation.condition)));
  const lists = Object.entries(explanation.lists ?? {});
  if (lists.length) {
    whole.append(el("dl", {}, lists.flatMap(([name, items]) => [el("dt", {}, visible(name)), el("dd", {}, longText(items.join(", ")))])));
  }
  shown.push(whole, ...remarks(explanation.unfit), ...remarks(explanation.notes));
  if (explanation.place) shown.push(el("p", { className: "quiet" }, visible(explanation.place)));
  return shown;
}
