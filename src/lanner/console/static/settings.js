// What a reader of the page chose: theme, time zone, shortcuts. Kept in the browser if it lets us.

function kept(name, preset) {
  try {
    return localStorage.getItem(`lanner.${name}`) ?? preset;
  } catch {
    return preset;
  }
}

export const settings = { theme: kept("theme", ""), zone: kept("zone", "UTC"), keys: kept("keys", "on") };

export function set(name, value) {
  settings[name] = value;
  try {
    localStorage.setItem(`lanner.${name}`, value);
  } catch {
    // a browser without storage forgets it with the page
  }
}

export function applyTheme() {
  if (settings.theme) document.documentElement.dataset.theme = settings.theme;
}

export function otherTheme() {
  const dark = settings.theme ? settings.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  set("theme", dark ? "light" : "dark");
  applyTheme();
}

const two = (number) => String(number).padStart(2, "0");

/** Return the date and the time of milliseconds since 1970, in the chosen zone. */
export function dateAndTime(ms) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return ["", "unknown"];
  if (settings.zone === "UTC") return at.toISOString().slice(0, -1).split("T");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return [date, `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`];
}

export const time = (ms) => dateAndTime(ms)[1];
export const shortTime = (ms) => dateAndTime(ms).join(" ").slice(5);
/** Return a range of time as text, to the second. */
export const span = (begin, end) => `${dateAndTime(begin).join(" ").slice(0, 19)} – ${dateAndTime(end).join(" ").slice(0, 19)} ${settings.zone}`;

export const fullTime = (ms) => `${dateAndTime(ms).join(" ")} ${settings.zone}`;
