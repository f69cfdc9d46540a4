// The filter language, for a report, which has no server to ask. lanner/alerts/filters.py is the reference.

import { ApiError } from "./api.js";
import { PRIORITIES } from "./dom.js";

const KEYS = { rule: 4, source: 7, subject: 5, container: 5, tag: "tag", tags: "tag", priority: "priority", since: "since", until: "until" };
const NAME = String.raw`([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+|\[[^\]\s"]*\])*)`;
const KEY = new RegExp(`${NAME}(\\s*)(>=|<=|!=|==|[:=<>])(\\s*)`, "y");
const IN = new RegExp(`${NAME}\\s+in\\s*\\(`, "y");
const ITEM = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"(),]+))\s*([,)])/sy;
const QUOTED = /"((?:[^"\\]|\\.)*)\\?"?/sy;
const BARE = /\S+/y;
const SPACE = /\s*/y;
const NUMBER = /^[+-]?\d{1,40}(?:\.\d{1,40})?(?:e[+-]?\d{1,4})?$/i;
const UNITS = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

const words = (text) => text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
const spaced = (text) => ` ${words(text).join(" ")} `;
const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const unescaped = (text) => text.replace(/\\([\\"*])/g, "$1");

function taken(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Return a function of a text that compares it with a value; * is any text, in quotes unless it has a backslash. */
function pattern(value, isQuoted) {
  const pieces = isQuoted ? (value.match(/\\[\\"*]|\*|\\|[^\\*]+/g) ?? []) : value.split(/(\*)/);
  const parts = pieces.map((piece) => (piece === "*" ? ".*" : lower(isQuoted ? unescaped(piece) : piece).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")));
  const whole = new RegExp(`^${parts.join("")}$`, "s");
  return (text) => whole.test(lower(text));
}

function level(value) {
  const found = PRIORITIES.findIndex((name) => name.toLowerCase() === value.toLowerCase() || (value.toLowerCase() === "info" && name === "Informational"));
  if (found < 0) throw new ApiError(`invalid priority ${JSON.stringify(value)}: use one of ${PRIORITIES.join(", ").toLowerCase()}`, 400);
  return found;
}

function ofPriority(operator, value) {
  const limit = level(value);
  const tests = { ">=": (p) => p <= limit, ">": (p) => p < limit, "<=": (p) => p >= limit, "<": (p) => p > limit };
  const test = tests[operator] ?? ((p) => p === limit);
  return (row) => test(row[3]);
}

function moment(value) {
  if (/^\d{1,10}(\.\d{1,9})?$/.test(value)) return Number(value) * 1000;
  if (/^(\d{1,12}(ns|us|ms|s|m|h|d))+$/.test(value)) {
    return [...value.matchAll(/(\d+)([a-z]+)/g)].reduce((at, [, number, unit]) => at - number * UNITS[unit], Date.now());
  }
  const at = Date.parse(value.replace(/^(\d{4}-\d\d-\d\d)$/, "$1T00:00:00"));
  if (Number.isNaN(at)) throw new ApiError(`invalid time ${JSON.stringify(value)}: use 2026-11-29T15:00:00Z, or a span before now such as 10m`, 400);
  return at;
}

function ofTime(key, value) {
  const at = moment(value);
  return key === "since" ? (row) => row[2] >= at : (row) => row[2] < at;
}

function ofText(value) {
  const found = words(value);
  if (!found.length) return undefined;
  const isOpen = value.endsWith("*") && words(value.at(-2)).length > 0;
  const phrase = ` ${found.join(" ")}${isOpen ? "" : " "}`;
  return (row) => [row[4], row[6], row[5]].some((text) => spaced(text).includes(phrase));
}

const keyOf = (name) => KEYS[name.toLowerCase()] ?? (/[.[]/.test(name) ? "field" : undefined);

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
  const compare = (key, name, fits) => {
    if (key === "field") throw new ApiError(`a report keeps the fields of some alerts only: search for the value of ${name} as text`, 400);
    return key === "tag" ? (row) => (tags[row[4]] ?? []).some(fits) : (row) => fits(row[key]);
  };
  const readChoice = () => {
    const found = taken(IN, text, at);
    const key = found && keyOf(found[1]);
    if (key === undefined || key === null || key === "since" || key === "until") return undefined;
    const items = [];
    for (let end = ",", place = at + found[0].length; end === ","; ) {
      const item = taken(ITEM, text, place);
      if (!item) return undefined;
      items.push(item[2] === undefined ? [item[1], true] : [item[2], false]);
      [, , , end] = item;
      place += item[0].length;
      if (end === ")") at = place;
    }
    if (key === "priority") {
      const levels = items.map(([value, isQuoted]) => level(isQuoted ? unescaped(value) : value));
      return (row) => levels.includes(row[3]);
    }
    const fits = items.map(([value, isQuoted]) => pattern(value, isQuoted));
    return compare(key, found[1], (value) => fits.some((each) => each(value)));
  };
  /** Return the test of a term with a key, null for one without a value; undefined if this is text. */
  const readKeyed = () => {
    const found = taken(KEY, text, at);
    if (!found) return undefined;
    const [whole, name, space, operator, after] = found;
    const key = keyOf(name);
    const isSize = /[<>]/.test(operator);
    if (key === undefined || (operator === ":" && (space || (after && key === "field")))) return undefined;
    if (isSize && key !== "priority" && key !== "field") return undefined;
    const begin = at;
    at += whole.length;
    if (at >= text.length && !(isSize && key === "field")) return null;
    const [value, isQuoted] = readValue();
    if (isSize && key === "field" && !NUMBER.test(value)) {
      at = begin;
      return undefined;
    }
    const plain = isQuoted ? unescaped(value) : value;
    let test;
    if (key === "priority") test = ofPriority(operator, plain);
    else if (key === "since" || key === "until") test = ofTime(key, plain);
    else test = compare(key, name, pattern(value, isQuoted));
    return operator === "!=" ? (row) => !test(row) : test;
  };
  for (;;) {
    at += taken(SPACE, text, at)[0].length;
    if (at >= text.length) break;
    const negated = text[at] === "-";
    if (negated) at += 1;
    if (negated && (at >= text.length || /\s/.test(text[at]))) continue;
    let test = readChoice() ?? readKeyed();
    if (test === undefined) {
      const [value, isQuoted] = readValue();
      if (!isQuoted && value.toLowerCase() === "and") continue;
      test = ofText(isQuoted ? unescaped(value) : value);
    }
    if (test) tests.push(negated ? (row) => !test(row) : test);
  }
  return (row) => tests.every((test) => test(row));
}
