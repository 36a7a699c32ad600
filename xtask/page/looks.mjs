// How the page looks, computed: every text against what lies behind it, nothing wider than the screen.

import assert from "node:assert/strict";
import { comeIn, open, shot, step, TOKEN, until } from "./driver.mjs";

/** In the page: texts whose contrast is below WCAG 2.2 AA (1.4.3), and what is cut off or wider than the screen. */
function faults() {
  const read = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    return text.startsWith("color(") ? [...numbers.slice(0, 3).map((it) => it * 255), numbers[3] ?? 1] : [...numbers.slice(0, 3), numbers[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((n) => top[n] * top[3] + under[n] * (1 - top[3])).concat(1);
  const light = (color) => {
    const [r, g, b] = color.map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const color = read(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const found = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    if (node.closest("svg, .hide, :disabled, [inert], option, noscript")) continue;
    const style = getComputedStyle(node);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const under = behind(node);
    const is = ratio(over(read(style.color), under), under);
    texts += 1;
    if (is < (large ? 3 : 4.5)) found.push(`${is.toFixed(2)}: “${text.data.trim().slice(0, 40)}” (${node.className || node.tagName})`);
  }
  for (const input of document.querySelectorAll("input, select, textarea")) {
    if (!input.checkVisibility() || input.disabled) continue;
    const style = getComputedStyle(input);
    const under = behind(input);
    if (ratio(over(read(style.color), under), under) < 4.5) found.push(`field ${input.id}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) found.push(`${wide} px wider than the screen`);
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || node.closest(".scroll, .lesson-graph, .cut, .track, .hide, svg, .skip, [inert], .said")) continue;
    const box = node.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1)) found.push(`beyond the edge: ${node.tagName} ${node.className} “${node.textContent.slice(0, 30)}”`);
  }
  for (const node of document.querySelectorAll("button, input, select, textarea, summary")) {
    const box = node.getBoundingClientRect();
    if (node.checkVisibility() && box.width && (box.width < 20 || box.height < 20)) found.push(`too small for a finger: “${node.textContent}”`);
  }
  return { texts, found };
}

/** Looks at what is there, and keeps a picture. */
async function looked(page, name) {
  await page.waitForTimeout(250);
  await shot(page, name);
  const { texts, found } = await page.evaluate(faults);
  assert.ok(texts > 5, `${name}: ${texts} texts`);
  assert.deepEqual(found, [], name);
}

async function button(page, name) {
  await page.locator("#learner").getByRole("button", { name, exact: true }).click();
  await page.waitForSelector("dialog[open]");
}

/** Every view, a learner and dialogs. */
async function all(page, name) {
  for (const view of ["class", "lesson", "alerts", "machine", "audit", "access"]) {
    await page.click(`#tab-${view}`);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(view === "class" ? 100 : 700);
    await looked(page, `${name}-${view}`);
  }
  await page.locator("#view-access").getByRole("button", { name: "Pairing code …" }).click();
  await looked(page, `${name}-dialog-pairing`);
  await page.locator("dialog button[value=yes]").click();
  await page.waitForSelector(".digits:visible");
  await looked(page, `${name}-access-code`);
  await page.click("#tab-class");
  await page.locator(".tile").first().click();
  await page.waitForSelector("#learner:visible");
  await page.waitForTimeout(800);
  await looked(page, `${name}-learner`);
  await page.locator("#learner .more > summary").click();
  await page.locator(".more").evaluate((it) => it.scrollIntoView({ block: "start" }));
  await looked(page, `${name}-learner-more`);
  for (const [act, words] of [["Adapt …", "adapt"], ["Add a thing …", "add"], ["Agreed to …", "agreed"], ["Preferences …", "preferences"], ["End …", "end"]]) {
    await button(page, act);
    await looked(page, `${name}-dialog-${words}`);
    const inside = await page.evaluate(() => { const it = document.getElementById("dialog"); const box = it.getBoundingClientRect(); return it.scrollWidth <= it.clientWidth && box.top >= 0 && box.bottom <= innerHeight; });
    assert.equal(inside, true, `${name}: the dialog “${act}” is cut off`);
    await page.keyboard.press("Escape");
    await until("the dialog to close", async () => (await page.locator("dialog[open]").count()) === 0);
  }
  await page.keyboard.press("Escape");
}

/** `many`: how many are in the class, for the pictures' names. */
export async function looks(many) {
  for (const [name, width, height, colorScheme] of [["desk-dark", 1440, 900, "dark"], ["desk-light", 1440, 900, "light"], ["wide-tablet-light", 1024, 768, "light"], ["tall-tablet-dark", 768, 1024, "dark"]]) {
    await step(`with ${many} learners every text of every view can be read and nothing is cut off (${name}, ${width} × ${height})`, async () => {
      const { page, context } = await open({ viewport: { width, height }, colorScheme, hasTouch: name.includes("tablet") });
      await comeIn(page, TOKEN);
      await until("the class", async () => (await page.locator(".tile").count()) >= many, 60000);
      await all(page, `${name}-${many}`);
      await context.close();
    });
  }
}
