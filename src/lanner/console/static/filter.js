// The filter language, for a report, which has no server to ask. lanner/alerts/filters.py is the reference.

import { ApiError } from "./api.js";
import { PRIORITIES } from "./dom.js";

const KEYS = { rule: 4, source: 7, subject: 5, container: 5, tag: "tag", tags: "tag", priority: "priority", since: "since", until: "until" };
const KEY = /([A-Za-z_]\w*(?:\.\w+|\[[^\]\s"]*\])*)(\s*)(>=|<=|!=|==|[:=<>])(\s*)/y;
const QUOTED = /"((?:[^"\\]|\\.)*)\\?"?/sy;
const BARE = /\S+/y;

const words = (text) => text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
const spaced = (text) => ` ${words(text).join(" ")} `;
const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function taken(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const unescaped = (text) => text.replace(/\\([\\"*])/g, "$1");

/** Return a function of a text that compares it with a value as it was written. * is any text; in quotes \* is the character. */
function pattern(raw, isQuoted) {
  const pieces = (isQuoted ? raw.match(/\\[\\"*]|\*|\\|[^\\*]+/g) : raw.match(/\*|[^*]+/g)) ?? [];
  const literal = (piece) => lower(isQuoted ? unescaped(piece) : piece).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const whole = new RegExp(`^${pieces.map((piece) => (piece === "*" ? ".*" : literal(piece))).join("")}$`, "s");
  return (text) => whole.test(lower(text));
}

function ofPriority(operator, value) {
  const level = PRIORITIES.findIndex((name) => name.toLowerCase() === value.toLowerCase() || (value.toLowerCase() === "info" && name === "Informational"));
  if (level < 0) throw new ApiError(`invalid priority ${JSON.stringify(value)}: use one of ${PRIORITIES.join(", ").toLowerCase()}`, 400);
  const tests = { ">=": (p) => p <= level, ">": (p) => p < level, "<=": (p) => p >= level, "<": (p) => p > level };
  const test = tests[operator] ?? ((p) => p === level);
  return (row) => test(row[3]);
}

function ofTime(key, value) {
  const at = Date.parse(value);
  if (Number.isNaN(at)) throw new ApiError(`invalid time ${JSON.stringify(value)}: use 2026-11-29T15:00:00Z`, 400);
  return key === "since" ? (row) => row[2] >= at : (row) => row[2] < at;
}

/** Return a function of a row that says whether a filter selects it. `tags` are those of each rule. Throws ApiError. */
export function parseFilter(text, tags) {
  const tests = [];
  let at = 0;
  const readValue = () => {
    const isQuoted = text[at] === '"';
    const found = taken(isQuoted ? QUOTED : BARE, text, at);
    if (!found) return ["", false];
    at += found[0].length;
    return [isQuoted ? found[1] : found[0], isQuoted];
  };
  for (;;) {
    at += /^\s*/.exec(text.slice(at))[0].length;
    if (at >= text.length) break;
    let negated = text[at] === "-";
    if (negated) at += 1;
    if (negated && /^(\s|$)/.test(text.slice(at))) continue;
    const [whole, name, space, operator, after] = taken(KEY, text, at) ?? [];
    const key = name && (KEYS[name.toLowerCase()] ?? (/[.[]/.test(name) ? "field" : undefined));
    const isOrder = /^[<>]/.test(operator);
    const isText = key === undefined || (key !== "priority" && isOrder) || (operator === ":" && (space || (after && key === "field")));
    if (!isText) at += whole.length;
    if (!isText && at === text.length) break;
    const [raw, isQuoted] = readValue();
    const value = isQuoted ? unescaped(raw) : raw;
    let test;
    if (isText) {
      const isOpen = value.endsWith("*") && words(value.slice(-2)).length > 0;
      const phrase = isOpen ? spaced(value).trimEnd() : spaced(value);
      if (!phrase.trim() || (!isQuoted && value.toLowerCase() === "and")) continue;
      test = (row) => spaced(`${row[4]}\n`).includes(phrase) || spaced(row[6]).includes(phrase) || spaced(row[5]).includes(phrase);
    } else {
      if (operator === "!=") negated = !negated;
      if (key === "field") throw new ApiError(`a report keeps the fields of some alerts only: search for the value of ${name} as text`, 400);
      const fits = pattern(raw, isQuoted);
      if (key === "priority") test = ofPriority(operator, value);
      else if (key === "since" || key === "until") test = ofTime(key, value);
      else if (key === "tag") test = (row) => (tags[row[4]] ?? []).some(fits);
      else test = (row) => fits(row[key]);
    }
    tests.push(negated ? (row) => !test(row) : test);
  }
  return (row) => tests.every((test) => test(row));
}
