// The text of a filter as terms, to add and remove one by a click. The server parses it.

const TERM = /(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g;

export const terms = (filter) => filter.match(TERM) ?? [];

// as quote_value of lanner/alerts/filters.py: without a backslash, * is any text
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
