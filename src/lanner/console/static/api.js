// The page's only way to data: the HTTP API of `lanner console`, or the data packed into a report.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

let backend = overHttp;
let onTrouble = () => {};
let notLoggedIn =
  "Not logged in: open the address that lanner console printed. After a restart the console has a new address, except with --token-file. " +
  "After the login in any tab, this page continues.";

/** What the answers can do: `fields`: a filter may name any field. */
export const abilities = { fields: true };

/** Answer all questions by a function (name, parameters) instead of over HTTP: a report does so. */
export function useBackend(answers, limited) {
  backend = answers;
  Object.assign(abilities, limited);
}

/** Call with a message when the connection, the login or the server fails, and with "" when it works again. */
export const watchTrouble = (callback) => (onTrouble = callback);

// A number that a double would round is kept as its text, which JSON.stringify writes back
function exact(_key, value, context) {
  const isRounded = typeof value === "number" && context?.source && !Number.isSafeInteger(value) && String(value) !== context.source;
  return isRounded ? JSON.rawJSON(context.source) : value;
}

/** Return the value of a JSON text with numbers as exact as they are written. */
export const parseExact = (text) => JSON.parse(text, exact);

async function overHttp(name, parameters, signal) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(key, value);
  }
  let answer;
  try {
    answer = await fetch(`/api/${name}?${query}`, { signal, credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("No connection to lanner console. Is it still running? Retrying.", 0);
  }
  let body;
  try {
    body = (name.startsWith("alert/") ? parseExact : JSON.parse)(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(`lanner console answered ${answer.status} without JSON. Retrying.`, answer.status || 1);
  }
  if (answer.ok) return body;
  if (answer.status === 401) throw new ApiError(notLoggedIn, 401);
  throw new ApiError(String(body.error ?? `status ${answer.status}`), answer.status);
}

const isOurFault = (error) => error.status === 400 || error.status === 404;

/** Return the answer; a fault of connection, login or server is also shown at the top of the page. */
export async function get(name, parameters = {}, signal = undefined) {
  try {
    const answer = await backend(name, parameters, signal);
    onTrouble("");
    return answer;
  } catch (error) {
    if (error.name !== "AbortError") onTrouble(isOurFault(error) ? "" : error.message);
    throw error;
  }
}

/** Log in with the token of the address and remove it from there. */
export async function login() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const token = hash.get("token");
  if (token === null) return;
  hash.delete("token");
  history.replaceState(null, "", `#${hash}`);
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/login", { method: "POST", headers, body: JSON.stringify({ token }), credentials: "same-origin" });
    if (!answer.ok) notLoggedIn = "This address's token is not valid: open the address that lanner console printed last. After the login in any tab, this page continues.";
  } catch {
    onTrouble("No connection to lanner console. Is it still running?");
  }
}

/** Wait for milliseconds, or until the page is shown again. */
export function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shownAgain);
      resolve();
    };
    const shownAgain = () => document.hidden || done();
    const timer = setTimeout(done, ms);
    document.addEventListener("visibilitychange", shownAgain);
  });
}
