// The page: connects state (the address), views and keys. main.js starts it over a server, report.js over data in the page.

import { get, pause, watchTrouble } from "./api.js";
import { $, copy, el, setText } from "./dom.js";
import { linkOf, showDetail } from "./detail.js";
import { showFacets } from "./facets.js";
import { openKeys, startKeys } from "./keys.js";
import { AlertList } from "./list.js";
import { Feed } from "./live.js";
import { showRules } from "./rules.js";
import { applyTheme, otherTheme, set, settings } from "./settings.js";
import { go, hashOf, onChange, rangeNow, startState, state } from "./state.js";
import { askStatus, showStatus, statusChip } from "./status.js";
import { Stored } from "./stored.js";
import { within } from "./terms.js";
import { draw, shift, showTimeline, startTimeline } from "./timeline.js";

// milliseconds between refreshes: of the status; of time line, facets and rules, after new alerts in the live and other views, and without
const REFRESH = 10_000;
const REFRESH_LIVE = 4000;
const REFRESH_QUIET = 60_000;
const CHECK = 2000;

let titles = {}; // of the views
let bounds = null; // arrival of the oldest and the newest stored alert
let hasNews = false; // alerts since the last refresh
let isStale = false; // whether requests failed since
let asked = 0; // when the status was asked for
let shown = 0; // when time line, facets and rules were
let showRange;
let selectTimer;

const list = new AlertList({
  onSelect: selected,
  onOpen: opened,
  onFollow: (follow) => $("#follow").setAttribute("aria-pressed", follow),
  onEnd: () => stored.more(),
});
const note = (text) => setText($("#note"), text);
const feed = new Feed(list, { onNote: note, onRate: (text) => setText($("#rate"), text), onAlerts: () => (hasNews = true) });
const stored = new Stored(list, { onNote: note });

const isList = () => state.view === "live" || state.view === "history";

function selected(row) {
  if (!state.alert || row.gap !== undefined) return;
  clearTimeout(selectTimer);
  selectTimer = setTimeout(() => go({ alert: row[1] }, { quiet: true }), 120);
}

let focusDetail = false;

function opened(row) {
  if (row.gap !== undefined) return go({ view: "history", range: { begin: row.from, end: Math.max(row.to, row.from + 1) }, alert: "" });
  clearTimeout(selectTimer);
  focusDetail = document.activeElement === list.grid && opened.byKey;
  if (state.alert === row[1]) return focusDetail && $("#detail h2")?.focus();
  return go({ alert: row[1] });
}

function showNavigation() {
  for (const link of $("#views").children) {
    const view = link.dataset.view;
    link.href = hashOf({ ...state, view, alert: "", range: view === "live" ? { name: "" } : state.range });
    if (view === state.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Check the filter before views use it: an error is shown at the field, and so are hints, such as on a misspelt key. */
async function isValid(filter) {
  const field = $("#search");
  let [message, hints] = ["", []];
  if (filter) {
    try {
      hints = (await get("alerts", { limit: 1, filter })).notes ?? [];
    } catch (error) {
      if (error.status === 400) message = error.message;
    }
  }
  field.setAttribute("aria-invalid", message !== "");
  $("#search-error").textContent = message;
  $("#search-hint").textContent = hints.join(". ");
  return message === "";
}

async function check() {
  asked = performance.now();
  const status = await askStatus();
  const { oldest_ms: oldest, newest_ms: newest } = status?.store ?? {};
  if (!oldest) return;
  hasNews ||= newest !== bounds?.[1];
  bounds = [oldest, newest];
}

async function refresh() {
  await check();
  hasNews = isStale = false;
  shown = performance.now();
  const [begin, end] = rangeNow(bounds);
  showRange(begin, end);
  if (state.view === "status") return showStatus();
  if (state.view === "rules") return showRules(begin, end).catch(() => {});
  return Promise.all([showTimeline(begin, end), showFacets(begin, end)]);
}

async function changed(before, isFirst = false) {
  showNavigation();
  const isOther = (name) => isFirst || JSON.stringify(before[name]) !== JSON.stringify(state[name]);
  if (isOther("alert")) {
    clearTimeout(selectTimer);
    list.mark(state.alert);
    showDetail(state.alert, { focus: focusDetail });
    if (!state.alert && isList() && !isFirst) list.grid.focus({ preventScroll: true });
    focusDetail = false;
  }
  if (!["view", "filter", "range"].some(isOther)) return;
  document.body.dataset.view = state.view;
  $("#alerts").hidden = $("#search-form").hidden = !isList();
  $("#page").hidden = isList();
  $("#time").hidden = state.view === "status";
  $("#chart").classList.toggle("off", !isList());
  $("#legend").hidden = !isList();
  $("#follow").hidden = $("#pause").hidden = $("#rate").hidden = state.view !== "live";
  $("#facets-toggle").hidden = !isList();
  document.title = `Lanner: ${titles[state.view]}`;
  if (document.activeElement !== $("#search")) $("#search").value = state.filter;
  if (isOther("view") && !isFirst) $("#page").replaceChildren();
  feed.stop();
  stored.stop();
  const { filter, view } = state;
  const isValidFilter = await isValid(isList() ? filter : "");
  if (!bounds && view !== "live") await check();
  if (!isValidFilter || filter !== state.filter || view !== state.view) return;
  if (view === "live") startLive();
  else if (view === "history") startHistory();
  await refresh();
  if (isOther("view") && !isFirst && !isList()) $("#page h2")?.focus();
}

function startLive() {
  list.withDate = false;
  feed.start(state.filter);
  list.setFollow(true);
}

async function startHistory() {
  list.withDate = true;
  list.setFollow(false);
  const [begin, end] = rangeNow(bounds);
  const isAll = state.range.name === "all" || (!state.range.name && state.range.begin === undefined);
  await stored.start(isAll ? state.filter : within(state.filter, begin, end));
  list.mark(state.alert);
}

function isDue(now) {
  if (isStale) return now - shown >= CHECK;
  if ((state.view === "history" && state.range.begin !== undefined) || $("#search").getAttribute("aria-invalid") === "true") return false;
  if (state.view === "status") return now - shown >= REFRESH;
  return now - shown >= (!hasNews ? REFRESH_QUIET : state.view === "live" ? REFRESH_LIVE : REFRESH);
}

/** Poll the server for new data. */
export async function keepFresh() {
  for (;;) {
    await pause(CHECK);
    if (document.hidden) continue;
    const now = performance.now();
    if (isStale && state.alert && !$("#detail .fields")) showDetail(state.alert);
    if (isDue(now)) await refresh();
    else if (now - asked >= REFRESH) await check();
  }
}

function startSearch() {
  const field = $("#search");
  let timer;
  const search = (quiet) => {
    clearTimeout(timer);
    go({ filter: field.value.trim() }, { quiet });
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(true), 400);
  });
  $("#search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search(false);
    list.grid.focus();
  });
}

function setPaused() {
  if (state.view !== "live") return;
  feed.setPaused(!feed.paused);
  $("#pause").setAttribute("aria-pressed", feed.paused);
}

function setFollow() {
  if (state.view === "live") list.setFollow(!list.follow);
}

function escape() {
  if (document.activeElement === $("#search")) return list.grid.focus();
  if (state.alert && $("#detail").contains(document.activeElement) && !isNarrow()) return list.grid.focus();
  return state.alert ? go({ alert: "" }) : undefined;
}

const isNarrow = () => matchMedia("(max-width: 900px)").matches;

function otherZone() {
  set("zone", settings.zone === "UTC" ? "local" : "UTC");
  showZone();
  list.refill();
  draw();
  refresh();
  if (state.alert) showDetail(state.alert);
}

// a narrow page shows facets instead of the list
function toggleFacets() {
  const isOn = document.body.classList.toggle("with-facets");
  $("#facets-toggle").setAttribute("aria-pressed", isOn);
}

const showZone = () => ($("#zone").textContent = settings.zone === "UTC" ? "UTC" : "Local");

function move(by) {
  return (event) => {
    if (!isList()) return;
    if (event.key.length === 1 && document.activeElement !== list.grid && !$("#detail").contains(document.activeElement)) list.grid.focus();
    list.move(by);
  };
}

const page = () => Math.max(1, Math.floor(list.grid.clientHeight / list.height) - 2);

function open() {
  if (!isList()) return;
  opened.byKey = true;
  list.open();
  opened.byKey = false;
}

const KEYS = [
  ["/", [], "search", () => ($("#search").focus(), $("#search").select())],
  ["j", ["ArrowDown"], "next alert", move(1)],
  ["k", ["ArrowUp"], "previous alert", move(-1)],
  ["PageDown", [], "next page of the list", (event) => move(page())(event)],
  ["PageUp", [], "previous page of the list", (event) => move(-page())(event)],
  ["Home", [], "first alert of the list", () => list.select(0)],
  ["End", [], "last alert of the list", () => list.select(list.rows.length - 1)],
  ["Enter", [], "open the alert", open],
  ["Escape", [], "back to the list; close the alert", escape],
  ["f", [], "follow the newest alerts", setFollow],
  ["p", [], "pause and resume", setPaused],
  ["[", [], "earlier time range", () => shift(-1)],
  ["]", [], "later time range", () => shift(1)],
  ["c", [], "copy the alert's link", () => state.alert && copy(linkOf(state.alert), "Link")],
  ["d", [], "dark or light", otherTheme],
  ["?", [], "these keys", openKeys],
];

/** Show the page. `views` are its views with their titles; `open` gets access to the data, and may return a title of the page. */
export async function start(views, open) {
  titles = views;
  applyTheme();
  showZone();
  watchTrouble((message) => {
    const box = $("#trouble");
    setText(box, message);
    isStale ||= message === "" && !box.hidden;
    box.hidden = message === "";
  });
  $("#views").append(...Object.entries(views).map(([view, text]) => el("a", { "data-view": view }, text, view === "status" ? statusChip() : null)));
  showRange = startTimeline();
  startSearch();
  startKeys(KEYS);
  $("#skip").addEventListener("click", () => list.grid.focus());
  $("#pause").addEventListener("click", setPaused);
  $("#follow").addEventListener("click", setFollow);
  $("#theme").addEventListener("click", otherTheme);
  $("#zone").addEventListener("click", otherZone);
  $("#help").addEventListener("click", openKeys);
  $("#facets-toggle").addEventListener("click", toggleFacets);
  onChange((before) => changed(before));
  $("#title").textContent = (await open()) ?? "";
  startState(Object.keys(views));
  await changed(state, true);
}
