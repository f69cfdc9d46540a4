// The view of rules: counts in the range, silent and noisy ones, and rates before and after each change of the rules.

import { get } from "./api.js";
import { $, PRIORITIES, button, count, el, plural, refill, table, visible } from "./dom.js";
import { fullTime, shortTime, span } from "./settings.js";
import { go } from "./state.js";
import { term } from "./terms.js";

const NOISY = 0.2; // of all alerts
const HOUR = 3_600_000;

const historyOf = (rule) => button(visible(rule), () => go({ view: "history", filter: term("rule", rule) }), { className: "link", title: "Show in History" });

const rateText = (rate) => (rate >= 10 ? count(Math.round(rate)) : rate.toFixed(rate && rate < 0.1 ? 2 : 1));

export async function showRules(begin, end) {
  const page = $("#page");
  const { rules, changes } = await get("rules", { begin: Math.floor(begin), end: Math.ceil(end) });
  const total = rules.reduce((sum, rule) => sum + rule.count, 0);
  const hours = (end - begin) / HOUR;
  const active = rules.filter((rule) => rule.count).sort((a, b) => b.count - a.count);
  const silent = rules.filter((rule) => !rule.count);
  const priority = (rule) => el("span", { className: `p${rule.priority}` }, PRIORITIES[rule.priority] ?? String(rule.priority));
  const isNoisy = (rule) => total >= 10 && active.length > 1 && rule.count / total >= NOISY;
  const rows = active.map((rule) => [
    [historyOf(rule.rule), isNoisy(rule) ? el("div", { className: "noisy" }, `▲ noisy: ${Math.round((100 * rule.count) / total)} % of all`) : ""], priority(rule), el("span", { className: "figure" }, count(rule.count)),
    el("span", { className: "figure" }, hours < 1 ? "–" : rateText(rule.count / hours)),
    rule.last_ms ? shortTime(rule.last_ms) : "", rule.is_loaded === false ? "not loaded" : visible(rule.path ?? ""),
  ]);
  const silentRows = silent.map((rule) => [visible(rule.rule), priority(rule), rule.last_ms ? shortTime(rule.last_ms) : "never, in the store", visible(rule.path ?? "")]);
  refill(
    page,
    el("h2", { tabIndex: -1 }, "Rules"),
    el("p", {}, `${span(begin, end)}: ${plural(total, "alert")} by ${plural(active.length, "rule")}; ${count(silent.length)} silent`),
    table("Rules with alerts", ["Rule", "Priority", "Alerts", "Per hour", "Last", "File"], rows),
    silent.length ? table("Silent rules", ["Rule", "Priority", "Last", "File"], silentRows) : "",
    ...(changes ?? []).map(change),
  );
}

function change({ at_ms: at, files, before, after }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const difference = (name) => (after?.[name] ?? 0) - (before?.[name] ?? 0);
  names.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)));
  const rows = names.slice(0, 50).map((name) => {
    const by = difference(name);
    return [historyOf(name), rateText(before?.[name] ?? 0), rateText(after?.[name] ?? 0), `${by > 0 ? "▲ +" : by < 0 ? "▼ −" : ""}${rateText(Math.abs(by))}`];
  });
  const caption = `Rules changed at ${fullTime(at)}: ${(files ?? []).map((file) => visible(typeof file === "string" ? file : file.path)).join(", ")}`;
  const heads = ["Rule", "Alerts per hour before", "After", "Difference"];
  return rows.length ? table(caption, heads, rows) : el("p", {}, `${caption}; no alert before or after`);
}
