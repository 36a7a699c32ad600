// Questions to the person before the page: the one dialog, and the fields that stand in it.

import { byId, el } from "./dom.js";

let fields = 0;

/** A label with something to fill in. `kind`: text, number, area, range, check, or a list of `[value, words]` to choose from. */
export function field(name, words, kind, more = {}) {
  fields += 1;
  const id = `field-${fields}`;
  const { help, ...given } = more;
  const about = help ? { "aria-describedby": `${id}-help` } : {};
  const under = help ? el("p", { id: `${id}-help`, class: "quiet help", text: help }) : null;
  const common = { id, name, ...about };
  if (kind === "check") {
    return el("div", { class: "field" }, el("label", { class: "check", for: id }, el("input", { ...common, type: "checkbox", ...given }), el("span", { text: words })), under);
  }
  const label = el("label", { for: id, text: words });
  if (Array.isArray(kind)) {
    const { value, ...rest } = given;
    const options = kind.map(([each, text]) => el("option", { value: each, text, selected: each === value }));
    return el("div", { class: "field" }, label, el("select", { ...common, ...rest }, options), under);
  }
  if (kind === "area") return el("div", { class: "field" }, label, el("textarea", { ...common, rows: 3, ...given }), under);
  if (kind === "range") {
    const { show: shown = (it) => it, ...rest } = given;
    const output = el("output", { for: id, text: shown(Number(given.value)) });
    const input = el("input", { ...common, type: "range", ...rest });
    input.addEventListener("input", () => {
      output.textContent = shown(Number(input.value));
    });
    return el("div", { class: "field slider" }, label, output, input, under);
  }
  return el("div", { class: "field" }, label, el("input", { ...common, type: kind, autocomplete: "off", ...(kind === "number" ? { step: "any" } : {}), ...given }), under);
}

/** Several that can be ticked, under one heading. */
export function ticks(name, words, all, chosen = new Set()) {
  return el("fieldset", { class: "ticks" }, el("legend", { text: words }),
    el("div", { class: "ticks-list" }, all.map(([value, text]) => el("label", { class: "check" }, el("input", { type: "checkbox", name, value, checked: chosen.has(value) }), el("span", { text })))));
}

/** Why something is done. */
export function why() {
  return field("why", "Why (kept in the record; no names)", "text", { maxlength: 200 });
}

function asked(title, yes, kind, parts) {
  const dialog = byId("dialog");
  const form = el("form", { method: "dialog" },
    el("h2", { id: "dialog-title", text: title }),
    el("div", { class: "asks" }, parts),
    el("div", { class: "row end" },
      el("button", { type: "button", class: "plain", text: yes ? "Leave it" : "Close", on: { click: () => dialog.close("") } }),
      yes && el("button", { class: kind, value: "yes", text: yes })));
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  // What scrolls would take the focus.
  (form.querySelector(".asks :is(input, select, textarea, button)") ?? form.querySelector(".row.end button")).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(form) : null);
      dialog.replaceChildren();
    }, { once: true });
  });
}

/** Opens the dialog with these parts; comes back with the form's fields, or `null` when it was left. */
export function question(title, yes, ...parts) {
  return asked(title, yes, "primary", parts);
}

/** The same for what cannot be undone. */
export function sure(title, yes, ...parts) {
  return asked(title, yes, "danger", parts);
}

/** Shows something that has to be read; there is nothing to choose. */
export function showIn(title, ...parts) {
  return asked(title, null, "", parts);
}
