// Elements, made without ever reading markup: whatever comes from outside becomes text.

const SVG = "http://www.w3.org/2000/svg";

/** Finds what `index.html` has. */
export function byId(id) {
  return document.getElementById(id);
}

function put(node, given, children) {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, does] of Object.entries(value)) node.addEventListener(event, does);
    } else if (name === "text") {
      node.textContent = value;
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) node.append(child);
  }
  return node;
}

/** An element: `el("p", { class: "quiet", text: "…" }, child, …)`. */
export function el(name, given, ...children) {
  return put(document.createElement(name), given, children);
}

/** The same for pictures. */
export function svg(name, given, ...children) {
  return put(document.createElementNS(SVG, name), given, children);
}

/** Sets a text where it is another: what did not change costs the browser nothing. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for an attribute; `null` takes it away. */
export function mark(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** The same for a custom property of the style. */
export function size(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

/** Shows or hides. */
export function show(node, is) {
  if (node.hidden === is) node.hidden = !is;
}

/** How a bar's filling is moved to show a share: that costs no layout, as a width would. Empty is wholly out of sight. */
export function filled(share) {
  return share > 0 ? `translateX(${(Math.min(1, share) * 100 - 100).toFixed(1)}%)` : "translateX(-102%)";
}

/** A bar from 0 to 1 with the interval in which the figure lies. */
export function makeBar() {
  const span = el("i", { class: "span" });
  const fill = el("i", { class: "fill" });
  const root = el("span", { class: "meter", "aria-hidden": "true" }, el("i", { class: "cut" }, fill), span);
  return {
    root,
    set(value, low, high, kind) {
      const known = Number.isFinite(value);
      const percent = (it) => `${(Math.min(1, Math.max(0, it)) * 100).toFixed(1)}%`;
      mark(root, "data-kind", known ? kind : "none");
      size(fill, "transform", filled(known ? value : 0));
      const ranged = known && Number.isFinite(low) && Number.isFinite(high);
      show(span, ranged);
      if (ranged) {
        size(span, "left", percent(low));
        size(span, "width", percent(Math.max(0.01, high - low)));
      }
    },
  };
}

/** Lets the arrow keys, Home and End move among elements of which one at a time is in the order of Tab. */
export function roving(container, items, across) {
  container.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    const columns = across();
    const moves = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: all.length - 1 - at,
    };
    const by = moves[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = all[at + by];
    if (!next) return;
    all[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  container.addEventListener("focusin", (event) => {
    const all = items();
    if (!all.includes(event.target)) return;
    for (const item of all) item.tabIndex = item === event.target ? 0 : -1;
  });
}

let saidAt = 0;

/** Tells shortly what came of something; screen readers hear it. */
export function tell(words, kind = "good") {
  const said = byId("said");
  const line = el("p", { class: "toast", "data-kind": kind, text: words });
  said.append(line);
  while (said.children.length > 3) said.firstChild.remove();
  saidAt += 1;
  setTimeout(() => line.remove(), kind === "good" ? 6000 : 12000);
}
