// The live list: polls for alerts after the last position. What it leaves out, it says.

import { get, pause } from "./api.js";
import { count, plural } from "./dom.js";

const LIMIT = 5000;
const FIRST = 500;
const MOST_ASKED = 20; // answers for the first alerts; what a rare filter selects further back is in the history
// milliseconds between polls, by the milliseconds since the last alert
const BUSY = [100, 5000];
const CALM = [250, 60_000];
const EVERY_IDLE = 1000;
const EVERY_HIDDEN = 5000;
const TOO_FAR = 50_000; // alerts after which the page does not catch up but continues with the newest

const DAY = 2 ** 32; // a position is day * DAY + number

export class Feed {
  constructor(list, { onRate, onNote, onAlerts }) {
    Object.assign(this, { list, onRate, onNote, onAlerts });
    this.run = null;
    this.paused = false;
    this.waiting = 0;
  }

  /** Start with the newest alerts that the filter selects; an empty text selects all. */
  async start(filter) {
    this.stop();
    const run = (this.run = { filter, total: 0, omitted: 0, recent: [], lastAlert: performance.now() });
    this.list.replace([]);
    while (this.run === run) {
      try {
        if (run.position === undefined) await this.first(run);
        else if (this.paused) await this.countWaiting(run);
        else if (await this.next(run)) continue;
      } catch (error) {
        if (error.status === 400) this.run = null; // the filter is invalid; the search field says so
        else await pause(2000);
      }
      if (this.run !== run) break;
      this.note(run);
      await pause(this.interval(run));
    }
  }

  stop() {
    this.run = null;
  }

  interval(run) {
    if (document.hidden) return EVERY_HIDDEN;
    const since = performance.now() - run.lastAlert;
    return this.paused ? EVERY_IDLE : since < BUSY[1] ? BUSY[0] : since < CALM[1] ? CALM[0] : EVERY_IDLE;
  }

  async first(run) {
    const position = (await get("alerts", { limit: 1 })).alerts[0]?.[0] ?? 0;
    const rows = await this.newest(run, position + 1);
    if (this.run !== run) return;
    run.position = position;
    this.list.replace(rows);
  }

  /** Return the newest alerts before a position, the oldest first. An answer is bounded in time and may have less than was asked for. */
  async newest(run, before) {
    const rows = [];
    for (let asked = 0; asked < MOST_ASKED && rows.length < FIRST; asked++) {
      const page = await get("alerts", { before, limit: FIRST - rows.length, filter: run.filter });
      rows.push(...page.alerts);
      before = page.position;
      if (!page.more || this.run !== run) break;
    }
    return rows.reverse();
  }

  /** Take the alerts after the position. Returns whether there are more at once. */
  async next(run) {
    const page = await get("alerts", { after: run.position, limit: LIMIT, filter: run.filter });
    if (this.run !== run || this.paused) return false;
    if (page.position < run.position) return this.again(run);
    this.take(run, page.alerts);
    run.position = page.position;
    if (page.more) await this.skipIfFar(run);
    return page.more;
  }

  /** Begin again: positions are only lower in another store. */
  again(run) {
    run.position = undefined;
    run.isOther = true;
    this.onAlerts();
    return true;
  }

  take(run, alerts) {
    if (!alerts.length) return;
    const rows = [];
    let last = run.position;
    for (const row of alerts) {
      const missing = run.filter || Math.floor(last / DAY) !== Math.floor(row[0] / DAY) ? 0 : row[0] - last - 1;
      if (missing > 0) rows.push(this.gap(run, missing, row));
      last = row[0];
      rows.push(row);
    }
    run.total += alerts.length;
    run.lastAlert = performance.now();
    run.recent.push([run.lastAlert, alerts.length]);
    this.list.append(rows);
    this.onAlerts();
  }

  gap(run, missing, row, about = "") {
    run.omitted += missing;
    const before = this.list.rows.findLast((other) => other.gap === undefined);
    return { gap: missing, about, from: before ? before[2] : row[2] - 60_000, to: row[2] + 1 };
  }

  /** Continue with the newest alerts if the page is so late that it would not catch up. */
  async skipIfFar(run) {
    const [newest] = (await get("alerts", { limit: 1 })).alerts;
    if (!newest || this.run !== run) return;
    const sameDay = Math.floor(newest[0] / DAY) === Math.floor(run.position / DAY);
    // another day's numbers start at 1: what was left of the last day is not known
    const behind = sameDay ? newest[0] - run.position : newest[0] % DAY;
    if (sameDay && behind < TOO_FAR) return;
    if (!sameDay && behind < TOO_FAR && Math.floor(newest[0] / DAY) - Math.floor(run.position / DAY) < 2) return;
    const rows = await this.newest(run, newest[0] + 1);
    if (this.run !== run) return;
    const about = run.filter ? "up to " : sameDay ? "" : "at least ";
    if (rows.length) this.list.append([this.gap(run, Math.max(1, behind - rows.length), rows[0], about), ...rows]);
    run.position = newest[0];
  }

  async countWaiting(run) {
    const [newest] = (await get("alerts", { limit: 1 })).alerts;
    if (newest && this.run === run) this.waiting = Math.max(0, newest[0] - run.position);
  }

  setPaused(paused) {
    this.paused = paused;
    this.waiting = 0;
    if (this.run) this.note(this.run);
  }

  note(run) {
    const now = performance.now();
    run.recent = run.recent.filter(([at]) => at > now - 5000);
    const rate = run.recent.reduce((sum, [, number]) => sum + number, 0) / 5;
    this.onRate(this.paused ? "paused" : `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/s`);
    const texts = [];
    if (this.paused) texts.push(this.waiting >= DAY / 2 ? "Paused; alerts are waiting" : `Paused; ${plural(this.waiting, "alert")} waiting`);
    if (run.isOther) texts.push("The store was replaced by another one; these are its alerts");
    if (run.omitted) texts.push(`${plural(run.omitted, "alert")} not shown, because they arrived faster than the page reads them`);
    if (!this.list.rows.length) texts.push(run.filter ? "No alert matches the filter yet" : "No alert yet");
    this.onNote(texts.join(". "));
  }
}
