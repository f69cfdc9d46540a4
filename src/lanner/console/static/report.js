// A report: the answers of the API from data in the page. lanner/console/report_file.py packs it.

import { ApiError, useBackend } from "./api.js";
import { start } from "./console.js";
import { $, PRIORITIES, plural } from "./dom.js";
import { parseFilter } from "./filter.js";

const STEPS = [1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800].map((seconds) => seconds * 1000);
const AROUND = 300_000;

async function unpack() {
  const bytes = Uint8Array.from(atob($("#data").textContent), (character) => character.charCodeAt(0));
  $("#data").remove();
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

function rowsOf(data) {
  let at = 0;
  return data.times.map((since, index) => {
    at += since;
    const key = data.kept[index]?.key ?? `${index + 1}`;
    const [rule, subject, source] = [data.rules[index], data.subjects[index], data.sources[index]].map((number) => data.texts[number]);
    return [index + 1, key, at, data.priorities[index], rule, subject, data.messages[index], source];
  });
}

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** Take the data of the page for all answers. Returns the report's title. */
async function useReport() {
  const data = await unpack();
  const rows = rowsOf(data);
  const byKey = new Map(rows.map((row) => [row[1], row]));
  const filters = new Map();

  function wanted(filter = "") {
    if (!filters.has(filter)) {
      filters.clear(); // an answer's questions share one filter
      filters.set(filter, rows.filter(parseFilter(filter, data.tags)));
    }
    return filters.get(filter);
  }
  const within = (filter, begin, end) => wanted(filter).filter((row) => row[2] >= begin && row[2] < end);

  function alerts({ before = Infinity, limit, filter }) {
    const found = wanted(filter);
    let last = found.length;
    while (last > 0 && found[last - 1][0] >= before) last -= 1;
    const page = found.slice(Math.max(0, last - limit), last).reverse();
    return { alerts: page, position: page.at(-1)?.[0] ?? 1, more: last > limit };
  }

  function timeline({ begin, end, filter }) {
    const step = STEPS.find((ms) => (end - begin) / ms <= 120) ?? STEPS.at(-1);
    const buckets = new Map();
    for (const row of within(filter, begin, end)) {
      const at = Math.floor(row[2] / step) * step;
      if (!buckets.has(at)) buckets.set(at, new Array(8).fill(0));
      buckets.get(at)[row[3]] += 1;
    }
    return { step_ms: step, buckets: [...buckets].sort((a, b) => a[0] - b[0]), exact: true };
  }

  function facets({ begin, end, filter, field }) {
    const found = within(filter, begin, end);
    if (field === "tag") return { values: counted(found.flatMap((row) => data.tags[row[4]] ?? [])).slice(0, 100) };
    const value = { rule: (row) => row[4], priority: (row) => PRIORITIES[row[3]], subject: (row) => row[5], source: (row) => row[7] }[field];
    return { values: counted(found.map(value).filter(Boolean)).slice(0, 100) };
  }

  function rules({ begin, end }) {
    const found = within("", begin, end);
    const counts = new Map(counted(found.map((row) => row[4])));
    const last = new Map(found.map((row) => [row[4], row[2]]));
    const known = data.known.map((rule) => ({ ...rule, count: counts.get(rule.rule) ?? 0, last_ms: last.get(rule.rule) }));
    return { rules: known, changes: [] };
  }

  function detail(key, part) {
    const row = byKey.get(key);
    if (!row) throw new ApiError("not in this report", 404);
    const kept = data.kept[row[0] - 1] ?? {};
    if (part === "around") {
      const near = rows.filter((other) => other[5] === row[5] && Math.abs(other[2] - row[2]) <= AROUND).slice(0, 200);
      return { alerts: near, rules: counted(near.map((other) => other[4])) };
    }
    if (part) return kept[part] ?? { unavailable: "this report has it only for the first alerts of each rule; the alert store has it for all" };
    const time = new Date(row[2]).toISOString();
    const short = { rule: row[4], priority: PRIORITIES[row[3]], subject: row[5], source: row[7], output: row[6], tags: data.tags[row[4]] ?? [] };
    return { position: row[0], key, arrived: time, fields: {}, event: null, event_size: 0, ...short, time, ...kept, ...(kept.time ? { arrived: kept.time } : {}) };
  }

  const times = rows.map((row) => row[2]);
  const [oldest, newest] = [times.reduce((a, b) => Math.min(a, b), Infinity), times.reduce((a, b) => Math.max(a, b), 0)];
  const store = rows.length ? { oldest_ms: oldest, newest_ms: newest } : {};
  const answers = { alerts, timeline, facets, rules, status: () => ({ run: null, is_running: false, problems: [], store }) };
  useBackend(async (name, parameters) => {
    const [, key, part] = /^alert\/([^/]+)\/?(.*)$/.exec(name) ?? [];
    return key ? detail(decodeURIComponent(key), part) : answers[name](parameters);
  }, { fields: false });
  return `${data.title}: ${plural(rows.length, "alert")}${data.more ? `; ${plural(data.more, "more alert")} left out` : ""}`;
}

start({ history: "Alerts", rules: "Rules" }, useReport);
