// A grid of up to 100,000 alerts, of which only the rows in sight are elements.
//
// A row is what the API gives, [position, key, arrived_ms, priority, rule, subject, text, source], or a gap: {gap, from, to}.

import { $, PRIORITIES, el, plural, visible } from "./dom.js";
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
    this.head = this.grid.querySelector(".head");
    this.tall = $("#tall");
    this.window = $("#window");
    this.lines = []; // elements, in their order on the screen; they are used again for other rows
    this.first = 0; // row of the first line
    this.top = 0; // what is above the part in sight, in pixels
    this.isMoved = false; // whether the grid must be scrolled there
    this.grid.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.window.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.measure()).observe(this.grid);
    this.measure();
  }

  // Sizes are read only here: reading one after a change makes the browser lay the page out at once
  measure() {
    this.height = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row")) || 24;
    this.shownHeight = this.grid.clientHeight;
    this.headHeight = this.head.offsetHeight;
    this.change();
  }

  /** The highest value of `top`. */
  get bottom() {
    return Math.max(0, this.headHeight + this.rows.length * this.height - this.shownHeight);
  }

  /** Scroll with the next frame. */
  moveTo(top) {
    this.top = Math.max(0, Math.min(this.bottom, top));
    this.isMoved = true;
    this.change();
  }

  /** Show other rows, from the first. */
  replace(rows) {
    this.rows = rows;
    this.selected = -1;
    this.moveTo(0);
  }

  /** Append rows; the oldest go when there are too many. */
  append(rows) {
    this.rows.push(...rows);
    if (this.rows.length > MOST_ROWS * 1.05) {
      const cut = this.rows.length - MOST_ROWS;
      this.rows = this.rows.slice(cut);
      this.selected = Math.max(-1, this.selected - cut);
      this.moveTo(this.top - cut * this.height);
    }
    this.change();
  }

  /** Paint with the next frame. */
  change() {
    this.frame ||= requestAnimationFrame(() => {
      this.paint();
      this.frame = 0;
    });
  }

  setFollow(follow) {
    if (this.follow === follow) return;
    this.follow = follow;
    this.callbacks.onFollow(follow);
    this.change();
  }

  scrolled() {
    if (this.isMoved) return; // an earlier position: the next frame scrolls on
    const top = this.grid.scrollTop;
    if (this.follow && top < this.top && top < this.bottom - 2) this.setFollow(false);
    this.top = top;
    if (top + 2 * this.shownHeight > this.bottom) this.callbacks.onEnd();
    this.change();
  }

  paint() {
    const { rows, height } = this;
    if (this.follow) this.moveTo(this.bottom);
    if (this.painted !== rows.length * height) {
      this.painted = rows.length * height;
      this.tall.style.height = `${this.painted}px`;
      this.grid.setAttribute("aria-rowcount", rows.length + 1);
    }
    const number = Math.ceil(this.shownHeight / height) + 2 * SPARE;
    while (this.lines.length < number) this.lines.push(this.newLine());
    this.turn(Math.max(0, Math.floor(this.top / height) - SPARE));
    this.lines.forEach((line, slot) => this.place(line, this.first + slot));
    const isInSight = this.lines[this.selected - this.first]?.index === this.selected;
    if (isInSight) this.grid.setAttribute("aria-activedescendant", `row-${this.selected}`);
    else this.grid.removeAttribute("aria-activedescendant");
    if (this.isMoved) this.grid.scrollTop = this.top;
    this.isMoved = false;
  }

  /** Begin with another row: lines that leave at one end continue at the other. */
  turn(first) {
    const by = first - this.first;
    this.first = first;
    if (Math.abs(by) >= this.lines.length) return;
    const moved = this.lines.splice(by > 0 ? 0 : by, Math.abs(by));
    if (by > 0) {
      this.lines.push(...moved);
      this.window.append(...moved);
    } else if (by < 0) {
      this.lines.unshift(...moved);
      this.window.prepend(...moved);
    }
  }

  newLine() {
    const line = el("div", { role: "row", className: "row" });
    line.cells = Array.from({ length: 5 }, () => new Text());
    line.append(...line.cells.map((cell) => el("span", { role: "gridcell" }, cell)));
    this.window.append(line);
    return line;
  }

  /** Let a line show the row with this index. */
  place(line, index) {
    const row = this.rows[index];
    line.hidden = row === undefined;
    if (!row) return;
    const isSelected = index === this.selected;
    if (line.index !== index || line.height !== this.height) {
      Object.assign(line, { index, height: this.height });
      line.style.top = `${index * this.height}px`;
      line.setAttribute("aria-rowindex", index + 2);
      line.classList.toggle("even", index % 2 === 0);
    }
    if (line.isSelected !== isSelected || isSelected) {
      line.isSelected = isSelected;
      line.setAttribute("aria-selected", isSelected);
      line.id = isSelected ? `row-${index}` : "";
    }
    if (line.shows !== row || line.zone !== this.zone) this.fill(line, row);
  }

  fill(line, row) {
    Object.assign(line, { shows: row, zone: this.zone });
    const isGap = row.gap !== undefined;
    line.classList.toggle("gap", isGap);
    const texts = isGap ? ["", "", "", "", gapText(row)] : this.texts(row);
    texts.forEach((text, column) => {
      if (line.cells[column].data !== text) line.cells[column].data = text;
    });
    line.children[1].className = isGap ? "" : `p${row[3]}`;
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
    this.select(line.index);
    this.open();
  }

  select(index) {
    if (!this.rows.length) return;
    this.setFollow(false);
    this.selected = Math.max(0, Math.min(this.rows.length - 1, index));
    const top = this.selected * this.height;
    this.moveTo(Math.max(Math.min(this.top, top), top + this.height + this.headHeight - this.shownHeight));
    this.callbacks.onSelect(this.rows[this.selected]);
  }

  /** Select the row that is `by` rows further; without a selection, the newest in sight. */
  move(by) {
    if (this.selected >= 0) this.select(this.selected + by);
    else this.select(this.follow ? this.rows.length - 1 : Math.floor(this.top / this.height));
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
  return `… ${about}${plural(gap, "alert")} not shown here. Enter shows them in History …`;
}
