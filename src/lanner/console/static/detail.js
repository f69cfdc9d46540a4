// One alert: all fields, why it fired, what else its subject did, texts to copy, and the event.

import { abilities, get, parseExact } from "./api.js";
import { $, PRIORITIES, button, copy, count, el, longLines, longText, plural, visible } from "./dom.js";
import { filterButtons } from "./facets.js";
import { fullTime, shortTime } from "./settings.js";
import { go } from "./state.js";
import { term } from "./terms.js";
import { remarks, why } from "./why.js";

let request = null;

export const linkOf = (key) => `${location.href.split("#")[0]}#alert=${encodeURIComponent(key)}`;

/** Show the alert of this key, or close the panel for "". */
export async function showDetail(key, { focus = false } = {}) {
  const panel = $("#detail");
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  panel.hidden = !key;
  document.body.classList.toggle("with-detail", Boolean(key));
  if (!key) return panel.replaceChildren();
  panel.setAttribute("aria-busy", "true");
  try {
    const alert = await get(`alert/${encodeURIComponent(key)}`, {}, signal);
    if (signal.aborted) return undefined;
    fill(panel, key, alert, signal);
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    panel.replaceChildren(heading("Alert"), el("p", { id: "removed" }, visible(error.message)));
  }
  panel.removeAttribute("aria-busy");
  if (focus) panel.querySelector("h2")?.focus();
  return undefined;
}

const heading = (text) =>
  el("div", { className: "top" }, el("h2", { tabIndex: -1 }, text), button("×", () => go({ alert: "" }), { "aria-label": "Close", title: "Close (Esc)" }));

function section(title, ...children) {
  return el("section", {}, el("h3", {}, title), ...children);
}

/** Return a section whose content is asked for when it is opened. */
function later(title, load) {
  const box = el("details", { className: "later" }, el("summary", {}, title));
  box.addEventListener("toggle", async () => box.append(...(await load())), { once: true });
  return box;
}

function fill(panel, key, alert, signal) {
  const priority = PRIORITIES.indexOf(alert.priority) >= 0 ? PRIORITIES.indexOf(alert.priority) : alert.priority;
  const ask = async (part, show) => {
    try {
      return show(await get(`alert/${encodeURIComponent(key)}/${part}`, {}, signal));
    } catch (error) {
      return error.name === "AbortError" ? [] : [el("p", { className: "quiet" }, `Unavailable: ${error.message}`)];
    }
  };
  const reasons = section("Why it fired");
  const around = section("Alerts of the same subject");
  ask("why", why).then((shown) => reasons.append(...shown));
  ask("around", (answer) => surroundings(answer, key, alert)).then((shown) => around.append(...shown));
  panel.replaceChildren(
    heading(longText(alert.rule)),
    el("p", {}, el("span", { className: `p${priority}` }, PRIORITIES[priority]), ` · ${fullTime(Date.parse(alert.time))}`),
    el("p", { className: "buttons" },
      button("Copy link (c)", () => copy(linkOf(key), "Link"), { id: "copy-link" }),
      button("Copy JSON", () => copy(JSON.stringify(alert, null, 2), "JSON"))),
    section("What", el("p", {}, longText(alert.output))),
    reasons,
    section("Fields", fields(alert)),
    around,
    later("Exception for alerts like this one", () => ask("exception", (answer) => snippet(answer, "exception"))),
    later("Rule test from this alert", () => ask("test", (answer) => snippet(answer, "rule test"))),
    later(`Event, ${plural(alert.event_size ?? 0, "byte")}`, async () => event(alert)),
  );
}

function fields(alert) {
  const pairs = [["priority", PRIORITIES[alert.priority] ?? alert.priority], ["source", alert.source], ["rule", alert.rule]];
  const about = alert.subject ? [["subject", alert.subject]] : [];
  const all = [...Object.entries(alert.fields ?? {}), ...about, ...pairs, ...(alert.tags ?? []).map((tag) => ["tag", tag])];
  const rows = all.map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const isShort = value !== null && text.length <= 200 && (abilities.fields || !name.includes("."));
    return el("div", {}, el("dt", {}, broken(name)), el("dd", {}, longText(text)), el("dd", { className: "pick" }, isShort ? filterButtons(name, text, "+") : []));
  });
  const rest = [["arrived", fullTime(Date.parse(alert.arrived))], ["key", alert.key], ["rules file", place(alert.rules_file)]];
  const plain = rest.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, longText(value))));
  return el("dl", { className: "fields" }, rows, plain);
}

/** Return a field's name that may be broken after its dots. */
const broken = (name) => visible(name).split(/(?<=[._])/).flatMap((part) => [part, el("wbr")]);

const place = (file) => (file ? [file.path, file.line].filter(Boolean).join(":") : "");

function surroundings({ alerts, rules }, key, alert) {
  if (!alert.subject) return [el("p", { className: "quiet" }, "The alert has no subject, such as a container.")];
  const names = rules.map(([rule, number]) => el("li", {}, `${visible(rule)} `, el("span", { className: "figure" }, count(number))));
  const rows = alerts.map((row) =>
    el("li", {}, row[1] === key
      ? el("strong", {}, `${shortTime(row[2])} ${PRIORITIES[row[3]]} ${visible(row[4])} (this alert)`)
      : button(`${shortTime(row[2])} ${PRIORITIES[row[3]]} ${visible(row[4])}`, () => go({ alert: row[1] }))));
  const middle = Date.parse(alert.arrived);
  const range = { begin: middle - 300_000, end: middle + 300_000 };
  const filter = term("subject", alert.subject);
  return [
    el("p", {}, `${plural(alerts.length, "alert")} about ${visible(alert.subject)} within five minutes before and after:`),
    el("ul", {}, names),
    el("details", {}, el("summary", {}, "One by one"), el("ul", { className: "around" }, rows)),
    button("Show them in History", () => go({ view: "history", filter, range })),
  ];
}

function snippet(answer, what) {
  if (answer.unavailable) return [el("p", { className: "quiet" }, `Unavailable: ${visible(answer.unavailable, 1000)}`)];
  const checked = answer.checked ? el("p", { className: "yes" }, "✓ checked by Lanner") : el("p", { className: "quiet" }, "not checked");
  return [longLines(answer.text), checked, ...remarks(answer.notes), button("Copy", () => copy(answer.text, what))];
}

function event({ event: text, event_size: size }) {
  if (text === null || text === undefined) return [el("p", { className: "quiet" }, "The event is not stored.")];
  const bytes = new TextEncoder().encode(text).length;
  const cut = size > bytes ? [el("p", { className: "quiet" }, `The first ${plural(bytes, "byte")}; the store has only the beginning of an event.`)] : [];
  let pretty = text;
  try {
    pretty = JSON.stringify(parseExact(text), null, 2);
  } catch {
    // not JSON, or cut: as it is
  }
  return [...cut, longLines(pretty), button("Copy", () => copy(text, "Event"))];
}
