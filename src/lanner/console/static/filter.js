// The filter language, for a report, which has no server to ask. lanner/alerts/filters.py is the reference: a test holds this to it.

import { ApiError } from "./api.js";
import { PRIORITIES } from "./dom.js";
import { NAME, S } from "./terms.js";

// what a key compares: the column of a row, or a name
const KEYS = new Map(
  Object.entries({ rule: 4, source: 7, subject: 5, container: 5, tag: "tag", tags: "tag", priority: "priority", since: "since", until: "until" }),
);
const FIELD = "field";
const KEY = new RegExp(`(${NAME})([${S}]*)(>=|<=|!=|==|[:=<>])([${S}]*)`, "y");
const IN = new RegExp(`(${NAME})[${S}]+in[${S}]*\\(`, "y");
const ITEM = new RegExp(`[${S}]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^${S}"(),]+))[${S}]*([,)])`, "sy");
const QUOTED = /"((?:[^"\\]|\\.)*)\\?"?/sy;
const BARE = new RegExp(`[^${S}]+`, "y");
const SPACE = new RegExp(`[${S}]*`, "y");
const NUMBER = /^[+-]?\d{1,40}(?:\.\d{1,40})?(?:e[+-]?\d{1,4})?$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d))?)?(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d):(\d\d))?$/;
const UNITS = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 10n ** 9n, m: 60n * 10n ** 9n, h: 3600n * 10n ** 9n, d: 86_400n * 10n ** 9n };

const isAscii = (text) => /^[\0-\x7f]*$/.test(text);
const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const unescaped = (text) => text.replace(/\\([\\"*])/g, "$1");

// Python's casefold, character by character: JavaScript's lower case of a string depends on the end of a word
const fold = (character) => (character === "ı" ? character : character.toLowerCase().toUpperCase().toLowerCase());

/** Return the words of a string, in a form that is the same for the same words. */
export function words(text) {
  const folded = isAscii(text) ? lower(text) : Array.from(text.normalize("NFKC"), fold).join("");
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

const spaced = (text) => ` ${words(text).join(" ")} `;

/** Return a function of a string that compares it with a value as it was written. * is any text; in quotes \* is the character. */
function pattern(raw, isQuoted) {
  const parts = [""];
  for (const piece of raw.match(isQuoted ? /\\[\\"*]|\*|\\|[^\\*]+/g : /\*|[^*]+/g) ?? []) {
    if (piece === "*") parts.push("");
    else parts[parts.length - 1] += lower(isQuoted ? unescaped(piece) : piece);
  }
  const [first, last, inner] = [parts[0], parts.at(-1), parts.slice(1, -1)];
  if (parts.length === 1) return (text) => lower(text) === first;
  return (given) => {
    const text = lower(given);
    let at = first.length;
    const end = text.length - last.length;
    if (end < at || !text.startsWith(first) || !text.endsWith(last)) return false;
    return inner.every((part) => {
      const found = text.indexOf(part, at);
      at = found + part.length;
      return found >= 0 && at <= end;
    });
  };
}

function level(value) {
  const name = value.toLowerCase() === "info" ? "informational" : value.toLowerCase();
  const found = isAscii(value) ? PRIORITIES.findIndex((each) => each.toLowerCase() === name) : -1;
  if (found < 0) throw new ApiError(`invalid priority ${JSON.stringify(value)}: use one of ${PRIORITIES.join(", ").toLowerCase()}`, 400);
  return found;
}

function ofPriority(operator, value) {
  const limit = level(value);
  const tests = { ">=": (p) => p <= limit, ">": (p) => p < limit, "<=": (p) => p >= limit, "<": (p) => p > limit };
  const test = tests[operator] ?? ((p) => p === limit);
  return (row) => test(row[3]);
}

const nanoseconds = (digits) => BigInt((digits ?? "").padEnd(9, "0"));

/** Return the seconds since 1970 of a match of DATE, or NaN. */
function secondsOf([, year, month, day, hour = 0, minute = 0, second = 0, , isUtc, sign, zoneHour = 0, zoneMinute = 0]) {
  const parts = [year, month - 1, day, hour, minute, second].map(Number);
  const at = new Date(Date.UTC(...parts));
  // a part that is too large carries over to others
  const isDate = Number(year) >= 1969 && at.toISOString().startsWith(`${year}-${month}-${day}T`) && hour < 24 && minute < 60 && second < 60;
  if (!isDate || zoneHour > 23 || zoneMinute > 59) return NaN;
  if (!isUtc && !sign) return Math.floor(new Date(...parts).getTime() / 1000);
  return at.getTime() / 1000 - Number(`${sign ?? ""}1`) * (zoneHour * 3600 + zoneMinute * 60);
}

/** Return the first whole millisecond since 1970 that is not before a time as a user wrote it. */
function moment(value, now) {
  let at = -1n;
  const seconds = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(value);
  const date = DATE.exec(value);
  if (seconds) at = BigInt(seconds[1]) * UNITS.s + nanoseconds(seconds[2]);
  else if (/^(\d{1,12}(ns|us|ms|s|m|h|d))+$/.test(value)) {
    at = [...value.matchAll(/(\d+)([a-z]+)/g)].reduce((left, [, number, unit]) => left - BigInt(number) * UNITS[unit], BigInt(now) * UNITS.ms);
    if (at < 0n) at = 0n;
  } else if (date && secondsOf(date) >= 0) at = BigInt(secondsOf(date)) * UNITS.s + nanoseconds(date[7]);
  if (at < 0n) throw new ApiError(`invalid time ${JSON.stringify(value)}: use 2026-11-29T15:00:00Z, or a duration before now such as 10m`, 400);
  return Number((at + 999_999n) / UNITS.ms);
}

function ofTime(key, value, now) {
  const at = moment(value, now);
  return key === "since" ? (row) => row[2] >= at : (row) => row[2] < at;
}

/** Return the test of words that follow each other, or undefined without words. */
function ofText(value) {
  const found = words(value);
  if (!found.length) return undefined;
  const isOpen = value.endsWith("*") && words(Array.from(value).at(-2)).length > 0;
  const phrase = ` ${found.join(" ")}${isOpen ? "" : " "}`;
  return (row) => [row[4], row[6], row[5]].some((text) => spaced(text).includes(phrase));
}

const keyOf = (name) => KEYS.get(name.toLowerCase()) ?? (/[.[]/.test(name) ? FIELD : undefined);

/** Return a function of a row that says whether a filter selects it. `tags` are those of each rule. Throws ApiError. */
export function parseFilter(text, tags, now = Date.now()) {
  const tests = [];
  let at = 0;

  function take(sticky, from = at) {
    sticky.lastIndex = from;
    return sticky.exec(text);
  }

  function readValue() {
    const isQuoted = text[at] === '"';
    const found = take(isQuoted ? QUOTED : BARE);
    at += found[0].length;
    return [isQuoted ? found[1] : found[0], isQuoted];
  }

  function compare(key, name, fits) {
    if (key === FIELD) throw new ApiError(`a report keeps the fields of some alerts only: search for the value of ${name} as text`, 400);
    return key === "tag" ? (row) => (tags[row[4]] ?? []).some(fits) : (row) => fits(row[key]);
  }

  /** Return the test of `key in (a, b)`; undefined if this is none. */
  function readChoice() {
    const found = take(IN);
    const key = found && keyOf(found[1]);
    if (!key || key === "since" || key === "until") return undefined;
    const items = [];
    let place = at + found[0].length;
    for (let end = ","; end === ","; ) {
      const item = take(ITEM, place);
      if (!item) return undefined;
      items.push(item[2] === undefined ? [item[1], true] : [item[2], false]);
      [, , , end] = item;
      place += item[0].length;
    }
    at = place;
    if (key === "priority") {
      const levels = items.map(([value, isQuoted]) => level(isQuoted ? unescaped(value) : value));
      return (row) => levels.includes(row[3]);
    }
    const fits = items.map(([value, isQuoted]) => pattern(value, isQuoted));
    return compare(key, found[1], (value) => fits.some((each) => each(value)));
  }

  /** Return the test of a term with a key, null for one without a value; undefined if this is text. */
  function readKeyed() {
    const found = take(KEY);
    if (!found) return undefined;
    const [whole, name, space, operator, after] = found;
    const key = keyOf(name);
    if (key === undefined || (operator === ":" && (space || (after && key === FIELD)))) return undefined;
    const begin = at;
    if (/[<>]/.test(operator) && key !== "priority") {
      if (key !== FIELD) return undefined;
      at += whole.length;
      if (at < text.length && NUMBER.test(readValue()[0])) return compare(key, name);
      at = begin;
      return undefined;
    }
    at += whole.length;
    if (at === text.length) return null;
    const [raw, isQuoted] = readValue();
    const value = isQuoted ? unescaped(raw) : raw;
    let test;
    if (key === "priority") test = ofPriority(operator, value);
    else if (key === "since" || key === "until") test = ofTime(key, value, now);
    else test = compare(key, name, pattern(raw, isQuoted));
    return operator === "!=" ? (row) => !test(row) : test;
  }

  for (;;) {
    at += take(SPACE)[0].length;
    if (at >= text.length) break;
    const isNegated = text[at] === "-";
    if (isNegated) at += 1;
    if (isNegated && (at === text.length || take(SPACE)[0])) continue;
    let test = readChoice() ?? readKeyed();
    if (test === undefined) {
      const [value, isQuoted] = readValue();
      if (!isQuoted && value.toLowerCase() === "and") continue;
      test = ofText(isQuoted ? unescaped(value) : value);
    }
    if (test) tests.push(isNegated ? (row) => !test(row) : test);
  }
  return (row) => tests.every((test) => test(row));
}
