// A grid of up to 100,000 alerts, of which only the rows in sight are elements.
//
// A row is what the API gives, [position, key, arrived_ms, priority, rule, subject, text, source], or a gap: {gap, from, to}.

import { $, PRIORITIES, count, el, visible } from "./dom.js";
import { shortTime, time } from "./settings.js";

export const MOST_ROWS = 100_000;
const SPARE = 4;

export class AlertList {
  constructor({ onSelect, onOpen, onFollow, onEnd }) {
    this.rows = [];
    this.selected = -1;
    this.follow = false;
    this.withDate = false;
    this.callbacks = { onSelect, onOpen, onFollow, onEnd };
    this.grid = $("#rows");
    this.window = $("#window");
    this.pool = [];
    this.lastTop = 0;
    this.grid.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.window.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.measure()).observe(this.grid);
    this.measure();
  }

  measure() {
    this.height = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row")) || 24;
    this.change();
  }

  /** Show other rows, from the first. */
  replace(rows) {
    this.rows = rows;
    this.selected = -1;
    this.grid.scrollTop = this.lastTop = 0;
    this.change();
  }

  /** Append rows; the oldest go when there are too many. */
  append(rows) {
    this.rows.push(...rows);
    if (this.rows.length > MOST_ROWS * 1.05) {
      const cut = this.rows.length - MOST_ROWS;
      this.rows = this.rows.slice(cut);
      this.selected = Math.max(-1, this.selected - cut);
      if (!this.follow) this.grid.scrollTop = this.lastTop = Math.max(0, this.grid.scrollTop - cut * this.height);
    }
    this.change();
  }

  /** Paint with the next frame. */
  change() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  setFollow(follow) {
    if (this.follow === follow) return;
    this.follow = follow;
    this.callbacks.onFollow(follow);
    this.change();
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.grid;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 2;
    if (this.follow && scrollTop < this.lastTop && !atEnd) this.setFollow(false);
    this.lastTop = scrollTop;
    if (scrollTop + 3 * clientHeight > scrollHeight) this.callbacks.onEnd();
    this.change();
  }

  paint() {
    const { rows, grid, height, pool } = this;
    $("#tall").style.height = `${rows.length * height}px`;
    if (this.follow) grid.scrollTop = this.lastTop = grid.scrollHeight;
    const first = Math.max(0, Math.floor(grid.scrollTop / height) - SPARE);
    const needed = Math.ceil(grid.clientHeight / height) + 2 * SPARE;
    while (pool.length < needed) pool.push(this.newRow());
    this.window.style.transform = `translateY(${first * height}px)`;
    let active = "";
    pool.forEach((line, slot) => {
      const index = first + slot;
      const row = slot < needed ? rows[index] : undefined;
      line.hidden = row === undefined;
      if (!row) return;
      line.id = `row-${index}`;
      line.setAttribute("aria-rowindex", index + 2);
      line.setAttribute("aria-selected", index === this.selected);
      line.classList.toggle("even", index % 2 === 0);
      if (index === this.selected) active = line.id;
      this.fill(line, row);
    });
    grid.setAttribute("aria-rowcount", rows.length + 1);
    if (active) grid.setAttribute("aria-activedescendant", active);
    else grid.removeAttribute("aria-activedescendant");
  }

  newRow() {
    const line = el("div", { role: "row", className: "row" });
    for (let column = 0; column < 5; column++) line.append(el("span", { role: "gridcell" }));
    this.window.append(line);
    return line;
  }

  fill(line, row) {
    if (line.shows === row && line.zone === this.zone) return;
    [line.shows, line.zone] = [row, this.zone];
    const cells = line.children;
    line.classList.toggle("gap", row.gap !== undefined);
    const texts = row.gap === undefined ? this.texts(row) : ["", "", "", "", gapText(row)];
    texts.forEach((text, column) => (cells[column].textContent = text));
    cells[1].className = row.gap === undefined ? `p${row[3]}` : "";
  }

  texts(row) {
    return [(this.withDate ? shortTime : time)(row[2]), PRIORITIES[row[3]] ?? "", visible(row[4]), visible(row[5]), visible(row[6])];
  }

  /** Fill all rows in sight again: the time zone has changed. */
  refill() {
    this.zone = {};
    this.change();
  }

  clicked(event) {
    const line = event.target.closest("[role=row]");
    if (!line) return;
    this.select(Number(line.id.slice(4)));
    this.open();
  }

  select(index) {
    if (!this.rows.length) return;
    this.setFollow(false);
    this.selected = Math.max(0, Math.min(this.rows.length - 1, index));
    const top = this.selected * this.height;
    const inSight = this.grid.clientHeight - this.height;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + this.height > this.grid.scrollTop + inSight) this.grid.scrollTop = top + this.height - inSight;
    this.change();
    this.callbacks.onSelect(this.rows[this.selected]);
  }

  /** Select the row that is `by` rows further; without a selection, the newest in sight. */
  move(by) {
    if (this.selected >= 0) this.select(this.selected + by);
    else this.select(this.follow ? this.rows.length - 1 : Math.floor(this.grid.scrollTop / this.height));
  }

  open() {
    const row = this.rows[this.selected];
    if (row) this.callbacks.onOpen(row);
  }

  /** Select the row of an alert if it is in the list, without scrolling. */
  mark(key) {
    const row = this.rows[this.selected];
    if (row?.[1] === key) return;
    this.selected = key ? this.rows.findIndex((other) => other[1] === key) : -1;
    this.change();
  }
}

function gapText({ gap, about }) {
  return `… ${about}${count(gap)} alerts are not shown here. Enter shows them in History …`;
}
