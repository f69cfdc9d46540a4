// The alerts of the time range by priority, as bars; dragging over them sets the range.

import { get } from "./api.js";
import { $, PRIORITIES, button, count, el, plural, refill } from "./dom.js";
import { fullTime, shortTime, span } from "./settings.js";
import { RANGES, go, state } from "./state.js";
import { term, terms, toggled } from "./terms.js";

const LEFT = 44; // pixels for the numbers
const TOP = 4;
const BOTTOM = 18;
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

let asked = 0;
let drawn = null; // {begin, end, step_ms, buckets, exact}

export async function showTimeline(begin, end) {
  const question = ++asked;
  try {
    const answer = await get("timeline", { begin: Math.floor(begin), end: Math.ceil(end), filter: state.filter });
    if (question === asked) drawn = { ...answer, begin, end };
  } catch {
    return; // the top of the page or the search field says why
  }
  draw();
}

export function draw() {
  if (!drawn) return;
  const chart = $("#chart");
  const { width, height } = chart.getBoundingClientRect();
  const { begin, end, buckets, step_ms: step } = drawn;
  const [plotWidth, plotHeight] = [width - LEFT, height - TOP - BOTTOM];
  const x = (ms) => LEFT + ((ms - begin) / (end - begin)) * plotWidth;
  const sums = buckets.map(([, counts]) => counts.reduce((sum, number) => sum + number, 0));
  const peak = Math.max(1, ...sums);
  const shapes = [];
  for (const part of [0, 0.5, 1]) {
    const y = TOP + (1 - part) * plotHeight;
    shapes.push(svg("line", { x1: LEFT, x2: width, y1: y, y2: y }));
    if (part !== 0.5 || peak > 1) shapes.push(svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, count(Math.round(peak * part))));
  }
  buckets.forEach(([at, counts], index) => shapes.push(bar(x(Math.max(at, begin)), x(Math.min(at + step, end)), at, counts, sums[index])));
  const ticks = Math.max(1, Math.floor(plotWidth / 130));
  for (let tick = 0; tick < ticks; tick++) {
    const ms = begin + ((end - begin) * tick) / ticks;
    shapes.push(svg("text", { x: x(ms), y: height - 4 }, tickText(ms, end - begin)));
  }
  chart.replaceChildren(...shapes, svg("rect", { id: "brush", y: TOP, height: Math.max(0, plotHeight), width: 0 }));
  const total = sums.reduce((sum, number) => sum + number, 0);
  const most = sums.indexOf(Math.max(...sums));
  const summary = `${plural(total, "alert")} in ${span(begin, end)}`;
  chart.setAttribute("aria-label", total ? `${summary}; most at ${fullTime(buckets[most][0])}: ${count(sums[most])}` : summary);
  legend(buckets);

  function bar(from, to, at, counts, sum) {
    const group = svg("g", {});
    group.append(svg("title", {}, `${fullTime(at)}: ${PRIORITIES.flatMap((name, p) => (counts[p] ? `${name} ${count(counts[p])}` : [])).join(", ")}`));
    let y = TOP + plotHeight;
    for (let p = 7; p >= 0; p--) {
      const tall = (counts[p] / peak) * plotHeight;
      if (!counts[p]) continue;
      // the highest bar keeps its proportion; a single alert among thousands stays visible
      y -= Math.max(tall, Math.min(1, (sum / peak) * plotHeight));
      group.append(svg("rect", { x: from, y, width: Math.max(1, to - from - 1), height: Math.max(1, tall), class: `f${p}` }));
    }
    return group;
  }
}

const tickText = (ms, length) => (length > 2 * 86_400_000 ? shortTime(ms).slice(0, 11) : shortTime(ms).slice(6, length < 600_000 ? 14 : 11));

function legend(buckets) {
  const totals = PRIORITIES.map((_, p) => buckets.reduce((sum, [, counts]) => sum + counts[p], 0));
  const items = PRIORITIES.flatMap((name, p) => {
    if (!totals[p]) return [];
    const wanted = term("priority", name.toLowerCase());
    const toggle = () => go({ filter: toggled(state.filter, wanted) });
    const properties = { "aria-pressed": terms(state.filter).includes(wanted), title: "Filter", "data-priority": p };
    return [button([], toggle, properties)].map((made) => {
      made.append(el("i", { className: `b${p}` }), name, " ", el("span", { className: "figure" }, count(totals[p])));
      return made;
    });
  });
  const note = drawn.exact === false ? [el("span", {}, "only a part was counted")] : [];
  refill($("#legend"), ...items, ...note);
}

/** Show the choice of ranges, and let the pointer select one. */
export function startTimeline() {
  const choice = el("select", { "aria-label": "Time range", onchange: () => choice.value && go({ range: { name: choice.value } }) });
  const between = el("span", { className: "figure" });
  $("#range").append(
    button("←", () => shift(-1), { "aria-label": "Earlier", title: "Earlier ([)" }),
    choice,
    button("→", () => shift(1), { "aria-label": "Later", title: "Later (])" }),
    between,
  );
  startBrush($("#chart"));
  new ResizeObserver(() => draw()).observe($("#chart"));
  return function showRange(begin, end) {
    const options = RANGES.map(([name, text]) => el("option", { value: name }, text));
    const chosen = state.range.name || (state.range.begin === undefined ? (state.view === "live" ? "1h" : "all") : "");
    if (!chosen) options.unshift(el("option", { value: "" }, "Selected"));
    choice.replaceChildren(...options);
    choice.value = chosen;
    between.textContent = span(begin, end);
  };
}

/** Move the range by half its length: by = -1 to earlier, 1 to later. */
export function shift(by) {
  if (!drawn) return;
  const half = ((drawn.end - drawn.begin) / 2) * by;
  go({ view: state.view === "live" ? "history" : state.view, range: { begin: Math.floor(drawn.begin + half), end: Math.ceil(drawn.end + half) } });
}

function startBrush(chart) {
  let from = null;
  const within = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.max(LEFT, Math.min(box.width, event.clientX - box.left));
  };
  const paint = (to) => {
    const brush = $("#brush");
    brush?.setAttribute("x", Math.min(from, to));
    brush?.setAttribute("width", Math.abs(to - from));
  };
  chart.addEventListener("pointerdown", (event) => {
    if (!drawn || event.button !== 0) return;
    from = within(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => from !== null && paint(within(event)));
  chart.addEventListener("pointercancel", () => (from = null));
  chart.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const edges = [from, within(event)].sort((a, b) => a - b);
    from = null;
    const box = chart.getBoundingClientRect();
    const ms = (pixel) => drawn.begin + ((pixel - LEFT) / (box.width - LEFT)) * (drawn.end - drawn.begin);
    let [begin, end] = edges.map(ms);
    if (edges[1] - edges[0] < 4) {
      begin = Math.floor((begin - drawn.begin) / drawn.step_ms) * drawn.step_ms + drawn.begin; // a click selects a bar
      end = begin + drawn.step_ms;
    }
    go({ view: state.view === "live" ? "history" : state.view, range: { begin: Math.floor(begin), end: Math.ceil(end) } });
  });
}
