// The text of a filter as terms, to add and remove one by a click. The server parses it.

/** White space, as in a class of a regular expression: JavaScript's differs from Python's. */
export const S = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
/** The name of a key or field, as a regular expression. */
export const NAME = `[A-Za-z_][A-Za-z0-9_]*(?:\\.[A-Za-z0-9_]+|\\[[^\\]${S}"]*\\])*`;

const QUOTED = `"(?:[^"\\\\]|\\\\.)*\\\\?"?`;
const CHOICE = `${NAME}[${S}]+in[${S}]*\\((?:"(?:[^"\\\\]|\\\\.)*"|[^"()])*\\)`;
const KEYED = `${NAME}[${S}]*(?:>=|<=|!=|==|[:=<>])[${S}]*(?:${QUOTED}|[^${S}]+)?`;
const TERM = new RegExp(`-?(?:${CHOICE}|${KEYED}|${QUOTED})|[^${S}]+`, "gs");

/** Return the terms of a filter. Those without a space between them are one. */
export function terms(filter) {
  const found = [];
  let end = -1;
  for (const { 0: text, index } of filter.matchAll(TERM)) {
    if (index === end) found[found.length - 1] += text;
    else found.push(text);
    end = index + text.length;
  }
  return found;
}

// always in quotes, in which a * is a wildcard unless it is escaped
const quoted = (value) => `"${value.replace(/["\\*]/g, "\\$&")}"`;

export const term = (key, value) => `${key}:${quoted(String(value))}`;

/** Return the filter with the term, or without it if it has it; the opposite term goes. */
export function toggled(filter, wanted) {
  const opposite = wanted.startsWith("-") ? wanted.slice(1) : `-${wanted}`;
  const kept = terms(filter).filter((other) => other !== opposite && other !== wanted);
  if (!terms(filter).includes(wanted)) kept.push(wanted);
  return kept.join(" ");
}

/** Return the filter, limited to a time range. */
export function within(filter, begin, end) {
  return `${filter} since:${new Date(begin).toISOString()} until:${new Date(end).toISOString()}`.trim();
}
