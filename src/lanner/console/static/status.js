// The view of the run: its problems by name, then engines, sources, outputs, rules and the store. And the short form in the header.

import { get } from "./api.js";
import { $, count, el, plural, visible } from "./dom.js";
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

const isTime = (name, value) => typeof value === "number" && value > 1e11 && /(_ms|_ns|_at|started|ended|loaded|last|time|written|arrived|since)$/.test(name);
const inMs = (value) => (value > 1e17 ? value / 1e6 : value);

const words = (name) => visible(name.replace(/_(ms|ns)$/, ""));

/** Return an element for a value of any kind. */
function shown(value, name = "") {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (isTime(name, value)) return fullTime(inMs(value));
  if (typeof value === "number") return count(value);
  if (typeof value === "string") return visible(value, 2000);
  const pairs = Array.isArray(value) ? value.map((one) => [one?.name ?? one?.path ?? "", one]) : Object.entries(value);
  if (!pairs.length) return "none";
  if (Array.isArray(value) && pairs.every(([, one]) => typeof one !== "object")) return value.map((one) => shown(one)).join(", ");
  return el("dl", {}, pairs.flatMap(([key, one]) => [el("dt", {}, words(String(key))), el("dd", {}, shown(one, String(key)))]));
}

function card(title, value) {
  return el("section", { className: "card" }, el("h3", {}, title), shown(value));
}

function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

const TITLES = { engines: "Engines", sources: "Sources", outputs: "Outputs", gaps: "Gaps", reload: "Reload of rules" };

export async function showStatus() {
  const page = $("#page");
  const status = await askStatus();
  if (!status) return;
  const { run, problems, store, is_running: isRunning } = status;
  const faults = problems.map(({ what, where, advice }) =>
    el("li", {}, el("strong", {}, "✗ ", visible(what, 1000)), where ? ` (${visible(where, 1000)})` : "", advice ? el("p", {}, visible(advice, 2000)) : ""));
  const parts = Object.entries(run ?? {});
  const grouped = parts.filter(([name, value]) => value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length);
  const single = Object.fromEntries(parts.filter((part) => !grouped.includes(part)));
  const title = run ? (isRunning ? "This run" : "The last run, which has ended") : "Run";
  const held = store && {
    days: store.days, size: size(store.bytes ?? 0),
    oldest: store.oldest_ms ? fullTime(store.oldest_ms) : "–", newest: store.newest_ms ? fullTime(store.newest_ms) : "–",
  };
  const focus = page.contains(document.activeElement);
  page.replaceChildren(
    el("h2", { tabIndex: -1 }, "Status"),
    faults.length
      ? el("ul", { className: "problems", "aria-label": "Problems" }, faults)
      : el("p", { className: "good" }, isRunning ? "● All well: the run is active and reports no problem" : "○ No run writes to this store at present"),
    el("div", { className: "cards" },
      card(title, run ? single : "no run has written its state to this store"),
      grouped.map(([name, value]) => card(TITLES[name] ?? words(name), value)),
      held ? card("Store", held) : ""),
  );
  if (focus) page.querySelector("h2").focus();
}
