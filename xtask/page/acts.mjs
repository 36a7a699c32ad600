// Every act of the page, by keyboard alone, before a real learner: what came of each is what the machine said.

import assert from "node:assert/strict";
import { api, comeIn, issue, open, please, step, until } from "./driver.mjs";

/** Presses a button by keyboard; the focus has to take it. */
async function press(page, root, name) {
  const button = root.getByRole("button", { name, exact: true });
  await button.waitFor();
  await until(`${name} to be open to pressing`, async () => button.isEnabled());
  await button.focus();
  assert.equal(await button.evaluate((it) => it === document.activeElement && it.tabIndex >= 0), true, name);
  await page.keyboard.press("Enter");
}

/** Goes on with Tab to the dialog's own button, and presses it. */
async function finish(page) {
  for (let n = 0; n < 60; n += 1) {
    if (await page.evaluate(() => document.activeElement.closest("dialog") && document.activeElement.value === "yes" && document.activeElement.tagName === "BUTTON")) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error("Tab does not lead to the dialog's button");
}

/** What the page told since. */
async function told(page, what) {
  let words = [];
  await until(`words about ${what}`, async () => {
    words = await page.evaluate(() => window.told.splice(0));
    return words.length > 0;
  }, 20000);
  return words.join(" | ");
}

async function dialog(page) {
  await page.waitForSelector("dialog[open] form");
  assert.equal(await page.evaluate(() => Boolean(document.activeElement.closest("dialog"))), true, "the dialog has the focus");
}

async function closed(page, root, name) {
  await until("the dialog to close", async () => (await page.locator("dialog[open]").count()) === 0);
  if (!name) return;
  const back = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(back, name, "the focus is back where it was");
}

/** One act: its button, what is typed in its dialog, and what has to come of it. */
async function does(page, root, name, wanted, types, asksBack) {
  await press(page, root, name);
  if (types) {
    await dialog(page);
    await types(page.keyboard);
    await finish(page);
  }
  if (asksBack) {
    await page.locator("dialog button.danger").waitFor();
    await finish(page);
  }
  const words = await told(page, name);
  assert.match(words, wanted, name);
}

const nothing = async () => {};

export async function acts() {
  let page;
  let panel;

  await step("every act with a learner is done by keyboard", async () => {
    const { token } = await issue("operator's desk", "operator");
    ({ page } = await open());
    await page.addInitScript(() => {
      window.told = [];
      addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
        for (const { addedNodes } of changes) for (const it of addedNodes) window.told.push(it.textContent);
      }).observe(document.getElementById("said"), { childList: true }));
    });
    await comeIn(page, token);
    // Somebody who does nothing by themselves: nothing happens but what is asked for here.
    const here = () => page.evaluate(() => [...document.querySelectorAll(".tile")].map((it) => it.dataset.learner));
    const before = new Set(await here());
    await please({ do: "learners", first: 900, count: 1, every: 3000 });
    let id;
    await until("somebody new", async () => {
      id = (await here()).find((it) => !before.has(it));
      return Boolean(id);
    }, 60000);
    await until("their first step", async () => /0\/12/.test(await page.locator(`.tile[data-learner="${id}"]`).textContent()));
    await page.locator(`.tile[data-learner="${id}"]`).focus();
    await page.keyboard.press("Enter");
    panel = page.locator("#learner");
    await panel.waitFor();
    await panel.locator(".more > summary").focus();
    await page.keyboard.press("Enter");

    // Tab leads to every button that can be pressed.
    const wanted = await panel.evaluate((it) => [...it.querySelectorAll("button:not(:disabled)")].filter((one) => one.offsetParent).map((one) => one.textContent));
    assert.ok(wanted.length > 15, String(wanted));
    await panel.focus();
    const reached = new Set();
    for (let n = 0; n < wanted.length + 20; n += 1) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.textContent));
    }
    assert.deepEqual(wanted.filter((it) => !reached.has(it)), [], "Tab does not lead there");

    await does(page, panel, "Give hint", /hint/i);
    await does(page, panel, "Take hint away", /hint/i);
    await does(page, panel, "Message …", /reads|message|panel/i, (keys) => keys.type("well begun"));
    await does(page, panel, "Pause", /./);
    await does(page, panel, "Resume", /./);
    await does(page, panel, "Adapt …", /difficult/i, async (keys) => { for (let n = 0; n < 4; n += 1) await keys.press("ArrowLeft"); });
    await does(page, panel, "As authored", /difficult/i);
    await does(page, panel, "Score …", /./, (keys) => keys.press("ArrowDown"));
    await does(page, panel, "Stage …", /./, (keys) => keys.press("ArrowDown"));
    await does(page, panel, "Checkpoint …", /./, (keys) => keys.type("touch-it"));
    await does(page, panel, "Point at …", /./, nothing);
    await does(page, panel, "Add a thing …", /ball/i, (keys) => keys.type("a ball"));
    await does(page, panel, "Take a thing away …", /./, nothing);
    await does(page, panel, "Preferences …", /./, (keys) => keys.press("Space"));
    await does(page, panel, "What is told …", /./, nothing);
    for (const name of ["What they see …", "Agreed to …"]) {
      await press(page, panel, name);
      await dialog(page);
      await page.keyboard.press("Escape");
      await closed(page, panel, name);
    }
    await does(page, panel, "They do not …", /./, async (keys) => {
      await page.locator("dialog input[value=hold_out]").focus();
      await keys.press("Space");
    });
    await does(page, panel, "They agree …", /./, async (keys) => {
      await page.locator("dialog input[value=hold_out]").focus();
      await keys.press("Space");
    });
    await does(page, panel, "Break …", /break/i, nothing);
    const download = page.waitForEvent("download");
    await does(page, panel, "Copy of the record …", /./, nothing);
    assert.match((await download).suggestedFilename(), /\w+\.\w+/);
  });

  await step("what cannot be undone asks back, and is left by Escape", async () => {
    for (const name of ["Begin anew …", "End …", "Erase the record …"]) {
      await press(page, panel, name);
      await page.locator("dialog button.danger").waitFor();
      assert.match(await page.textContent("dialog"), /cannot be undone/);
      await page.keyboard.press("Escape");
      await closed(page, panel, name);
    }
    assert.notEqual(await panel.locator(".chip").first().textContent(), "Finished");
    await does(page, panel, "Begin anew …", /./, null, true);
    await does(page, panel, "End …", /./, null, true);
    await until("the end", async () => (await panel.locator(".chip").first().textContent()) === "Finished");
    // While a headset is linked, the machine refuses and says why.
    await does(page, panel, "Erase the record …", /linked|headset/i, null, true);
    await page.keyboard.press("Escape");
  });

  await step("groups are formed, acted upon and dissolved by keyboard", async () => {
    const view = page.locator("#view-class");
    await press(page, view, "New group …");
    await dialog(page);
    await page.keyboard.type("Row 1");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await finish(page);
    assert.match(await told(page, "the group"), /group/i);
    const groups = page.locator("#groups");
    await groups.getByRole("button", { name: /^Row 1/ }).and(groups.locator("[aria-pressed=true]")).waitFor();
    assert.equal(await page.locator(".tiles li:visible").count(), 1);
    await does(page, groups, "Message …", /./, (keys) => keys.type("to all of you"));
    await does(page, groups, "Pause", /./);
    await does(page, groups, "Resume", /./);
    await does(page, groups, "Members …", /./, async (keys) => { await keys.press("Tab"); await keys.press("Space"); });
    await press(page, groups, "Another lesson …");
    await dialog(page);
    await page.keyboard.press("Escape");
    await closed(page, groups);
    await does(page, groups, "Dissolve", /./, nothing);
    await until("the group to be gone", async () => !(await groups.isVisible()));
  });

  await step("codes and tokens are made, listed and revoked by keyboard, and do what they say", async () => {
    await page.locator("#tab-class").focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    const view = page.locator("#view-access");
    await press(page, view, "Pairing code …");
    await dialog(page);
    await page.keyboard.press("ArrowUp");
    await finish(page);
    await page.waitForSelector(".digits:visible");
    const code = (await page.textContent(".digits")).replace(" ", "");
    const { page: other, context } = await open();
    await other.goto(page.url());
    await other.fill("#code", code);
    await other.keyboard.press("Enter");
    await until("the role of the code", async () => (await other.textContent("#role")) === "observer");
    await press(page, view, "Pairing code …");
    await dialog(page);
    await finish(page);
    await does(page, view, "Take it back", /./);
    await press(page, view, "Token …");
    await dialog(page);
    await page.keyboard.type("the third tablet");
    await finish(page);
    const made = await page.locator("dialog .token").inputValue();
    assert.equal((await api("GET", "tokens/self", made)).name, "the third tablet");
    await page.keyboard.press("Escape");
    await does(page, view, "Revoke the third tablet", /./, nothing);
    assert.equal((await api("GET", "tokens/self", made)).error, "token_over");
    assert.equal(await page.getByRole("button", { name: "Revoke the third tablet" }).count(), 0);
    await page.locator("#view-access").getByRole("checkbox").focus();
    await page.keyboard.press("Space");
    await until("those that are over", async () => (await page.textContent("#view-access tbody")).includes("the third tablet"));
    // The observer's own token goes, and they are out.
    const theirs = view.locator("tbody tr:not(.past)", { hasText: "instructor's page" }).filter({ hasText: "Observer" });
    await does(page, theirs, "Revoke instructor's page", /./, nothing);
    await other.waitForSelector("#signin:visible");
    await context.close();
  });

  // With nobody at work a drained machine ends at once.
  await please({ do: "learners", first: 904, count: 1, every: 3000 });
  await step("the machine says how it fares, and its rules, lessons and door are led by keyboard", async () => {
    await page.locator("#tab-access").focus();
    for (let n = 0; n < 2; n += 1) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    const view = page.locator("#view-machine");
    await until("somebody at work", async () => Number(await page.textContent("[data-key=on] b")) > 0, 60000);
    await until("health", async () => /Well/.test(await view.textContent()));
    assert.match(await view.textContent(), /Written as they come/);
    assert.match(await view.textContent(), /First steps/);
    await view.getByRole("checkbox", { name: "The rules act by themselves" }).focus();
    await page.keyboard.press("Space");
    assert.match(await told(page, "the rules"), /./);
    await does(page, view, "As at the start", /./);
    await press(page, view, "Another lesson for everybody …");
    await dialog(page);
    await page.keyboard.press("Escape");
    await closed(page, view, "Another lesson for everybody …");
    await press(page, view, "Bring a lesson …");
    await dialog(page);
    await page.keyboard.type("(nonsense");
    await finish(page);
    await page.locator("dialog", { hasText: "It has mistakes" }).waitFor();
    assert.match(await page.textContent("dialog"), /Line \d+/);
    await page.keyboard.press("Escape");
    await press(page, view, "Drain …");
    await dialog(page);
    assert.match(await page.textContent("dialog"), /sessions? runs? now/);
    await page.keyboard.press("Escape");
    await does(page, view, "Drain …", /./, nothing);
    await until("draining", async () => /nobody new is let in/.test(await view.textContent()));
    await does(page, view, "Let everybody in again", /./);
    assert.equal((await (await fetch(`${page.url()}healthz`)).json()).error, undefined);
    await page.context().close();
  });
}

