// What the page shows, as the address's hash: view, filter, time range, alert. The hash is the only place of these four.

const listeners = [];

export const state = { view: "live", filter: "", range: { name: "" }, alert: "" };

// the choices of the range: a name for the address, a string, a length in milliseconds
const MINUTE = 60_000;
export const RANGES = [
  ["15m", "Last 15 minutes", 15 * MINUTE],
  ["1h", "Last hour", 60 * MINUTE],
  ["6h", "Last 6 hours", 360 * MINUTE],
  ["24h", "Last 24 hours", 1440 * MINUTE],
  ["7d", "Last 7 days", 7 * 1440 * MINUTE],
  ["30d", "Last 30 days", 30 * 1440 * MINUTE],
  ["all", "All", Infinity],
];

export function hashOf({ view, filter, range, alert }) {
  const hash = new URLSearchParams();
  if (view !== "live" || alert) hash.set("view", view);
  if (filter) hash.set("filter", filter);
  if (range.name) hash.set("range", range.name);
  else if (range.begin !== undefined) {
    hash.set("from", range.begin);
    hash.set("to", range.end);
  }
  if (alert) hash.set("alert", alert);
  return `#${hash}`;
}

function read(views) {
  const hash = new URLSearchParams(location.hash.slice(1));
  const [begin, end] = [Number(hash.get("from")), Number(hash.get("to"))];
  state.alert = hash.get("alert") ?? "";
  // a permanent link names only the alert: show it among the stored ones
  const preset = state.alert ? "history" : "live";
  state.view = views.includes(hash.get("view")) ? hash.get("view") : views.includes(preset) ? preset : views[0];
  state.filter = hash.get("filter") ?? "";
  state.range = RANGES.some(([name]) => name === hash.get("range")) ? { name: hash.get("range") } : { name: "" };
  if (begin && end > begin) state.range = { name: "", begin, end };
}

function apply(views) {
  const before = { ...state };
  read(views);
  for (const listener of listeners) listener(before);
}

/** Change some of view, filter, range, alert. With `quiet`, the browser's back button does not return to the present state. */
export function go(change, { quiet = false } = {}) {
  const hash = hashOf({ ...state, ...change });
  if (hash === hashOf(state)) return;
  if (quiet) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  window.dispatchEvent(new Event("hashchange"));
}

/** Call with the state before each change. */
export const onChange = (listener) => listeners.push(listener);

/** Read the address, for one of these views, and follow its changes. */
export function startState(views) {
  window.addEventListener("hashchange", () => apply(views));
  read(views);
}

/** Return begin and end of the range in milliseconds; `bounds` are those of all stored alerts. */
export function rangeNow(bounds) {
  const { name, begin, end } = state.range;
  if (begin !== undefined) return [begin, end];
  const chosen = name || (state.view === "live" ? "1h" : "all");
  const length = RANGES.find((range) => range[0] === chosen)[2];
  const now = Date.now();
  if (length !== Infinity) return [now - length, now];
  return bounds ? [bounds[0], Math.max(bounds[1] + 1000, bounds[0] + MINUTE)] : [now - 60 * MINUTE, now];
}
