// The stored alerts, newest first, a page after the other as the list is scrolled.

import { get, pause } from "./api.js";
import { plural } from "./dom.js";
import { MOST_ROWS } from "./list.js";
import { dateAndTime } from "./settings.js";

const LIMIT = 500;
const ENOUGH = 200; // rows after which the search waits until the list is scrolled
const DAY_MS = 86_400_000;

export class Stored {
  constructor(list, { onNote }) {
    Object.assign(this, { list, onNote });
    this.search = null;
  }

  async start(filter) {
    const search = (this.search = { filter, isDone: false, isBusy: false });
    this.list.replace([]);
    this.onNote("Searching");
    await this.more(search);
  }

  stop() {
    this.search = null;
  }

  /** Load on, at least until the list has some rows more. */
  async more(search = this.search) {
    if (!search || search.isDone || search.isBusy) return;
    search.isBusy = true;
    const from = this.list.rows.length;
    while (this.search === search && !search.isDone && this.list.rows.length - from < ENOUGH) {
      try {
        const page = await get("alerts", { before: search.position, limit: LIMIT, filter: search.filter });
        if (this.search !== search) return;
        this.list.append(page.alerts);
        search.position = page.position;
        search.isDone = !page.more || this.list.rows.length >= MOST_ROWS;
        search.isFull = page.more && search.isDone;
      } catch (error) {
        if (error.status === 400) search.isDone = true; // the search field says why
        else await pause(2000);
      }
      if (this.search === search) this.note(search);
    }
    search.isBusy = false;
  }

  // the search may be further than the last row
  reached({ position }) {
    const day = Math.floor(position / 2 ** 32) * DAY_MS;
    return dateAndTime(day || this.list.rows.at(-1)?.[2])[0];
  }

  note(search) {
    const number = this.list.rows.length;
    if (search.isFull) this.onNote(`The newest ${plural(number, "alert")}; narrow the filter or the time range to see others`);
    else if (search.isDone) this.onNote(number ? plural(number, "alert") : "No alert matches the filter in this time range");
    else if (!search.position) this.onNote("Searching");
    else this.onNote(`${plural(number, "alert")} so far, back to ${this.reached(search)}; scroll for more`);
  }
}
