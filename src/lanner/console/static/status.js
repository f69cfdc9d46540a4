// The view of the run: its problems by name, then the run, its outputs, engines, files and the store. And the short form in the header.

import { get } from "./api.js";
import { $, count, el, plural, refill, table, visible } from "./dom.js";
import { fullTime } from "./settings.js";

let chip = null;

/** Return the summary for the header's link, which `noteStatus` keeps true. */
export function statusChip() {
  chip = el("span", { className: "chip" });
  return chip;
}

function noteStatus({ problems, is_running: isRunning }) {
  if (!chip) return;
  const text = problems.length ? `▲ ${plural(problems.length, "problem")}` : isRunning ? "● all well" : "○ no run";
  if (chip.textContent === text) return;
  chip.textContent = text;
  chip.className = `chip ${problems.length ? "bad" : isRunning ? "good" : ""}`;
}

/** Ask for the status. Returns it, or null if the request failed. */
export async function askStatus() {
  try {
    const status = await get("status");
    noteStatus(status);
    return status;
  } catch {
    return null; // the top of the page says why
  }
}

// What a run writes about itself may be damaged: each value is shown as what it is
const shown = (value) => (typeof value === "number" ? count(value) : typeof value === "string" && value ? visible(value, 1000) : "–");
const moment = (ms) => (Number.isFinite(ms) ? fullTime(ms) : "–");
const sum = (...numbers) => numbers.reduce((total, number) => total + (Number(number) || 0), 0);
const entries = (value) => Object.entries(value ?? {});
const hasAny = (value) => entries(value).length > 0;

const card = (title, ...children) => el("section", { className: "card" }, el("h3", {}, title), ...children);
const facts = (pairs) => el("dl", {}, pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
const counters = (value) => entries(value).map(([name, number]) => [visible(name), shown(number)]);

function about(run) {
  return facts([
    ["Plugin", `${shown(run.plugin)} ${visible(String(run.plugin_version ?? ""))}`],
    ["Event source", shown(run.event_source)],
    ["Host name", shown(run.hostname)],
    ["Started", moment(run.started / 1e6)],
    ["Rules loaded", moment(run.loaded / 1e6)],
    ["Lanner version", shown(run.version)],
    ["Events", shown(run.events)],
    ["Invalid payloads", count(sum(run.not_json, run.invalid_utf8))],
    ["Reload error", run.reload_error ? shown(run.reload_error) : "none"],
  ]);
}

function outputs(run) {
  const rows = entries(run.outputs).map(([name, output]) => [
    visible(name), shown(output?.delivered), count(sum(output?.pending, output?.spooled)), shown(output?.dropped), shown(output?.failures), shown(output?.last_error),
  ]);
  return table("Outputs", ["Output", "Delivered", "Waiting", "Dropped", "Failures", "Last error"], rows);
}

function engines({ connected }, isRunning) {
  const rows = entries(connected).map(([name, isConnected]) => [visible(name), ...(isRunning ? [isConnected ? "yes" : "no"] : [])]);
  return table("Engines", ["Engine", ...(isRunning ? ["Connected"] : [])], rows);
}

const files = (title, hashes) =>
  card(title, el("ul", {}, entries(hashes).map(([path, hash]) => el("li", { title: `SHA-256 ${hash}` }, visible(path)))));

function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

export async function showStatus() {
  const page = $("#page");
  const status = await askStatus();
  if (!status) return;
  const { run, problems, store, is_running: isRunning } = status;
  const faults = problems.map(({ what, where, advice }) =>
    el("li", {}, el("strong", {}, "✗ ", visible(what, 1000)), where ? ` (${visible(where, 1000)})` : "", advice ? el("p", {}, visible(advice, 2000)) : ""));
  const title = isRunning ? "This run" : run?.ended ? "The last run, which has ended" : "The last run, which was killed or crashed";
  refill(
    page,
    el("h2", { tabIndex: -1 }, "Status"),
    faults.length
      ? el("ul", { className: "problems", "aria-label": "Problems" }, faults)
      : el("p", { className: isRunning ? "good" : "quiet" }, isRunning ? "● All well: the run is active and reports no problem" : "○ No run writes to this store at present"),
    el("div", { className: "cards" },
      run ? card(title, about(run)) : card("Run", "No run has written its state to this store."),
      hasAny(run?.counters) ? card("Source", facts(counters(run.counters))) : "",
      hasAny(run?.rules_files) ? files("Rules files", run.rules_files) : "",
      hasAny(run?.config_files) ? files("Configuration files", run.config_files) : "",
      card("Store", facts([
        ["Days", count(store.days)], ["Size", size(store.bytes)], ["Oldest alert", moment(store.oldest_ms)], ["Newest alert", moment(store.newest_ms)],
      ]))),
    hasAny(run?.outputs) ? outputs(run) : "",
    hasAny(run?.connected) ? engines(run, isRunning) : "",
  );
}
