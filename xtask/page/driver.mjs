// What the steps of the check share: a browser, who comes in how, pictures, and delays from event to screen.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const { MALLOC_VR_PAGE_ADDRESS: ADDRESS, MALLOC_VR_PAGE_TOKEN, MALLOC_VR_PAGE_CHROMIUM: CHROMIUM, MALLOC_VR_PAGE_NPM: NPM,
  MALLOC_VR_PAGE_OUT, MALLOC_VR_PAGE_SOURCES: SOURCES, MALLOC_VR_PAGE_ONLY: ONLY } = process.env;
const { chromium } = await import(pathToFileURL(path.join(NPM, "node_modules/playwright-core/index.mjs")));

export const TOKEN = MALLOC_VR_PAGE_TOKEN;
export const OUT = MALLOC_VR_PAGE_OUT;
export const URL_HERE = `http://${ADDRESS}/`;
export const HOSTILE = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
export const figures = {};
export const problems = [];
export const passed = [];

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** Has the test do something, and gives what it says of it. */
export async function please(wish) {
  process.stdout.write(`${JSON.stringify(wish)}\n`);
  const { value } = await answers.next();
  const answer = JSON.parse(value);
  assert.equal(answer.done, wish.do);
  return answer;
}

/** The bridge's HTTP. */
export async function api(method, where, token = TOKEN, body) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(URL_HERE + where, { method, headers, body: body && JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

export const issue = (name, role) => api("POST", "tokens", TOKEN, { name, role });

// What comes from a folder comes from nowhere on the network, and such a page may not speak to this machine.
const flags = [process.getuid?.() === 0 && "--no-sandbox", SOURCES && "--disable-features=LocalNetworkAccessChecks"];
export const browser = await chromium.launch({ executablePath: CHROMIUM, args: flags.filter(Boolean) });

/** A tab of its own. */
export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`the page failed: ${error.message}`));
  page.on("console", (message) => {
    // A lost link and a refused token are part of what is tested, and the browser mentions them.
    if (message.type() === "error" && !/ERR_|401|403|429|WebSocket/.test(message.text())) problems.push(message.text());
  });
  await page.addInitScript(watch);
  if (SOURCES) await fromSources(page);
  return { context, page };
}

/** The page as it lies in the folder, under the head that the program sends: to work on it without building. */
async function fromSources(page) {
  await page.route((url) => url.href.startsWith(URL_HERE) && (url.pathname === "/" || url.pathname.startsWith("/page/")), async (route) => {
    const name = new URL(route.request().url()).pathname.replace(/^\/(page\/)?/, "") || "index.html";
    const kind = { css: "text/css", js: "text/javascript", svg: "image/svg+xml", html: "text/html" }[name.split(".").pop()];
    const index = await route.fetch({ url: URL_HERE });
    const policy = name === "index.html" ? { "content-security-policy": index.headers()["content-security-policy"] } : {};
    await route.fulfill({ status: 200, headers: { "content-type": `${kind}; charset=utf-8`, ...policy }, body: fs.readFileSync(path.join(SOURCES, name)) });
  });
}

/** In the page, before it begins: what came over the socket when, and when it stood on the screen. */
function watch() {
  const come = new Map();
  Object.assign(window, { delays: [], come, slow: [] });
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      window.socket = this;
      this.addEventListener("message", (event) => {
        const [kind, body] = Object.entries(JSON.parse(event.data))[0];
        if (kind === "event") come.set(`${body.learner} ${body.seq}`, { made: body.at_unix_ms, came: Date.now() });
      });
    }
  };
  const seen = (changes) => {
    for (const { target } of changes) {
      const at = come.get(`${target.dataset.learner} ${target.dataset.seq}`);
      if (!at || !window.measure) continue;
      const drawn = Date.now();
      // The frame after the one that laid it out: then it is on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => window.delays.push({ all: Date.now() - at.made, way: at.came - at.made, page: Date.now() - at.came, script: drawn - at.came })));
    }
  };
  addEventListener("DOMContentLoaded", () => {
    const tiles = document.getElementById("tiles");
    if (tiles) new MutationObserver(seen).observe(tiles, { subtree: true, attributeFilter: ["data-seq"] });
    try {
      new PerformanceObserver((list) => {
        for (const it of list.getEntries()) {
          if (window.measure) window.slow.push({ ms: it.duration, script: it.scripts.reduce((sum, one) => sum + one.duration, 0), style: it.startTime + it.duration - it.styleAndLayoutStart });
        }
      }).observe({ type: "long-animation-frame" });
    } catch {
      // An older browser tells no long frames.
    }
  });
}

export async function comeIn(page, token = TOKEN) {
  await page.goto(URL_HERE);
  await page.getByText("I have an access token").click();
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tile");
  await until("the role", async () => (await page.textContent("#role")) !== "");
}

export const shot = (page, name, more = {}) => page.screenshot({ path: path.join(OUT, `${name}.png`), ...more });

/** Waits until it is so, and says what it waited for where it never is. */
export async function until(what, is, patience = 30000) {
  const begun = Date.now();
  while (!(await is())) {
    if (Date.now() - begun > patience) throw new Error(`it never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One thing that has to hold. With `MALLOC_VR_PAGE_ONLY` only those with one of its words, separated by `|`, in their name. */
export async function step(name, does) {
  if (ONLY && !ONLY.split("|").some((part) => name.includes(part))) return;
  const begun = Date.now();
  await does();
  passed.push(name);
  console.log(`ok   ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Delays of what happens within these seconds: all the way, its parts, and until another program at the same door had it. */
export async function delays(page, seconds) {
  await please({ do: "listen" });
  await page.evaluate(() => Object.assign(window, { delays: [], slow: [], measure: true }));
  await page.waitForTimeout(seconds * 1000);
  const { ms: beside, frame_ms: frame } = await please({ do: "heard" });
  const { list, slow } = await page.evaluate(() => { window.measure = false; return { list: window.delays, slow: window.slow }; });
  const of = (part) => list.map((it) => it[part]);
  return { list, slow, beside, frame, all: of("all"), way: of("way"), page: of("page") };
}
