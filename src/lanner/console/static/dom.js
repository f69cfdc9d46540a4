// Elements, text that hides nothing, and the clipboard. No module sets markup: all text goes through text nodes.

export const $ = (selector) => document.querySelector(selector);

export const PRIORITIES = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];

/** Return a new element with properties (attributes for role, aria-* and data-*) and children (elements, strings, null). */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(role|for|title|aria-|data-)/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/**
 * Return a table that scrolls sideways where it does not fit; a narrow page shows each row as a card with the names of its columns.
 * `rows` are lists of the cells' children. The roles are written out, because a browser takes them from cells that are laid out as cards.
 */
export function table(caption, heads, rows) {
  const head = el("tr", { role: "row" }, heads.map((text) => el("th", { scope: "col", role: "columnheader" }, text)));
  const cell = (children, column) => el("td", { role: "cell", "data-head": heads[column] }, children);
  const body = rows.map((cells) => el("tr", { role: "row" }, cells.map(cell)));
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    el("table", { role: "table", "aria-label": caption },
      el("caption", {}, caption), el("thead", { role: "rowgroup" }, head), el("tbody", { role: "rowgroup" }, body)));
}

/** Set the text of an element, if it is another one. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const nameOf = (element) => element.getAttribute("aria-label") ?? element.textContent;

/** Replace the content of an element. The focus stays with what has the same name. */
export function refill(box, ...children) {
  const { activeElement: focused } = document;
  const name = focused !== box && box.contains(focused) ? nameOf(focused) : null;
  box.replaceChildren(...children);
  if (name === null || box.contains(document.activeElement)) return;
  const candidates = [...box.querySelectorAll(focused.localName)];
  (candidates.includes(focused) ? focused : candidates.find((one) => nameOf(one) === name))?.focus({ preventScroll: true });
}

export const button = (text, onclick, properties = {}) => el("button", { type: "button", onclick, ...properties }, text);

// Invisible characters, and those that change the order of others: controls, formats (bidi, joiners, tags), lone surrogates, private and
// unknown ones, line separators, fillers, selectors of variations, and all spaces but U+0020
const ODD = /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]|(?! )\p{Zs}/gu;

function shown(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Return the text with its invisible characters made visible, cut after `most` characters. */
export function visible(text, most = 400) {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(ODD, shown);
}

const LONGEST = 1000;

/** Return the text as nodes, with its invisible characters marked. */
function marked(text) {
  let from = 0;
  const pieces = [];
  for (const match of text.matchAll(ODD)) {
    pieces.push(text.slice(from, match.index), el("span", { className: "odd" }, shown(match[0])));
    from = match.index + match[0].length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** Return an element with the whole text: invisible characters marked, a long text cut with a button that shows it all. */
export function longText(text, className = "") {
  const box = el("span", { className: `text ${className}` });
  if (text.length <= LONGEST) {
    box.append(...marked(text));
    return box;
  }
  // A browser takes minutes to break a megabyte into lines. It lays out only those blocks that are in sight
  const blocks = () => Array.from({ length: Math.ceil(text.length / LONGEST) }, (_, i) => text.slice(i * LONGEST, (i + 1) * LONGEST));
  const showAll = () => box.replaceChildren(...blocks().map((block) => el("span", { className: "block" }, marked(block))));
  box.append(
    ...marked(text.slice(0, LONGEST)), "… ",
    button(`Show all ${plural(text.length, "character")}`, showAll), " ", button("Copy", () => copy(text, "Text")),
  );
  return box;
}

/** Return an element with the lines of a string. */
export const longLines = (text) => el("pre", { tabIndex: 0 }, text.split("\n").flatMap((line) => [longText(line), "\n"]));

const NUMBERS = new Intl.NumberFormat("en");

export const count = (number) => NUMBERS.format(number);

export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** Show a message for a moment, and announce it to screen readers. */
export function say(text) {
  const box = $("#said");
  box.textContent = text;
  box.className = "toast";
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (box.className = "hidden"), 2500);
}

/** Copy text to the clipboard; without the right to do so, select it in a field to copy by hand. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    const field = el("textarea", { value: text, readOnly: true, "aria-label": what });
    const dialog = el("dialog", { onclose: () => dialog.remove() }, el("p", {}, "Copy this text:"), field, button("Close", () => dialog.close()));
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  }
}
