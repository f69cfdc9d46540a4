// The keyboard: one key, one action, and the dialog that lists them.

import { $, button, el } from "./dom.js";
import { set, settings } from "./settings.js";

const isTyping = (target) => /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox";

/** Listen to keys. `actions`: [key, other keys, text, function] for each. */
export function startKeys(actions) {
  const byKey = new Map(actions.flatMap(([key, others, , action]) => [key, ...others].map((one) => [one, action])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { key, target } = event;
    if (key !== "Escape" && (isTyping(target) || settings.keys !== "on")) return;
    // a focused button or link keeps its own Enter; arrows, which scroll, belong to the list only there
    if (key === "Enter" && target.closest("button, a, summary")) return;
    if (key.startsWith("Arrow") || /^(Page|Home|End)/.test(key)) {
      if (target !== $("#rows")) return;
    }
    const action = byKey.get(key);
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  fillDialog(actions);
}

function fillDialog(actions) {
  const dialog = $("#keys");
  const rows = actions.flatMap(([key, , text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)]);
  const onOff = el("input", { type: "checkbox", id: "keys-on", checked: settings.keys === "on" });
  onOff.addEventListener("change", () => set("keys", onOff.checked ? "on" : "off"));
  dialog.append(
    el("h2", { id: "keys-title" }, "Keys"),
    el("dl", { className: "keys" }, rows),
    el("p", {}, onOff, el("label", { for: "keys-on" }, " Keys of one letter are on")),
    button("Close", () => dialog.close()),
  );
}

export function openKeys() {
  $("#keys").showModal();
}
