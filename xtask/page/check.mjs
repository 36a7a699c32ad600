// The instructor's page in a real Chromium, before a real classroom. `tests/page.rs` starts it, and does what it is asked
// for line by line (learners, a host that dies and comes back). Run by `cargo xtask page`.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { acts } from "./acts.mjs";
import { serveHost } from "./chat.mjs";
import { api, browser, comeIn, delays, figures, HOSTILE, issue, open, OUT, passed, please, problems, quantile, shot, step, TOKEN, until, URL_HERE } from "./driver.mjs";
import { looks } from "./looks.mjs";

try {
  const { page } = await open();

  await step("nobody comes in with a wrong code, and is told so", async () => {
    await page.goto(URL_HERE);
    await page.fill("#code", "000000");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#signin-why:visible");
    assert.match(await page.textContent("#signin-why"), /code/);
    await page.fill("#code", "");
    await page.getByText("I have an access token").click();
    await page.fill("#token", "mvr1_nothing_that_opens_anything");
    await page.keyboard.press("Enter");
    await until("words about the token", async () => /opens nothing/.test(await page.textContent("#signin-why")));
    await shot(page, "signin");
  });

  await please({ do: "learners", first: 0, count: 1, every: 40 });

  await step("a pairing code opens the class, with the role that the code was made for", async () => {
    const { code } = await api("POST", "pairing", TOKEN, { role: "instructor" });
    await page.goto(URL_HERE);
    await page.fill("#code", `${code.slice(0, 3)} ${code.slice(3)}`);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile");
    await until("the role", async () => (await page.textContent("#role")) === "instructor");
    assert.equal(await page.isVisible("#tab-audit"), false, "the audit is for operators");
    const kept = await page.evaluate(() => [localStorage.length, document.cookie, Object.keys(sessionStorage).length]);
    assert.deepEqual(kept, [0, "", 1], "only the tab remembers");
  });

  await step("what happens stands on the screen", async () => {
    const { all: measured } = await delays(page, 15);
    assert.ok(measured.length > 2, `${measured.length} events`);
    figures.delay_1_p50_ms = quantile(measured, 0.5);
    figures.delay_1_max_ms = Math.max(...measured);
  });

  await step("an instructor gives a hint, writes, pauses, adapts and takes it back", async () => {
    await page.click(".tile");
    const panel = page.locator("#learner");
    // What the machine does not offer has no place on the page.
    const tools = await page.evaluate(async () => {
      const { mcp } = await import("/page/mcp.js");
      const { token } = JSON.parse(sessionStorage.getItem("malloc-vr token"));
      return (await mcp(token, "tools/call", { name: "door.me", arguments: {} })).structuredContent.tools;
    });
    assert.equal(await panel.getByText("Through their eyes").count(), tools.includes("view.capture") ? 1 : 0);
    await panel.getByRole("button", { name: "Pause" }).click();
    await until("the pause", async () => (await panel.locator(".chip").textContent()) === "Paused");
    await panel.getByRole("button", { name: "Resume" }).click();
    await until("going on", async () => (await panel.locator(".chip").textContent()) !== "Paused");
    await panel.getByRole("button", { name: "Message" }).click();
    await page.fill("dialog [name=text]", HOSTILE);
    await page.getByRole("button", { name: "Send" }).click();
    await until("the message", async () => (await panel.locator(".timeline").textContent()).includes(HOSTILE));
    await panel.getByRole("button", { name: "Adapt" }).click();
    await page.locator("dialog [name=difficulty]").fill("0.8");
    await page.fill("dialog [name=why]", "a test");
    await page.getByRole("button", { name: "Apply" }).click();
    await until("the difficulty", async () => /difficulty × 0.80/.test(await panel.textContent()));
    await panel.getByRole("button", { name: "As authored" }).click();
    await until("the author's difficulty", async () => !/difficulty × 0.80/.test(await panel.locator(".part").first().textContent()));
    await panel.getByRole("button", { name: "Give hint" }).click().catch(() => {});
    await panel.getByRole("button", { name: "Break …" }).click();
    await page.locator("dialog button[value=yes]").click();
    await until("the break in the timeline", async () => /Offer break/.test(await panel.locator(".timeline").textContent()));
  });

  await step("a hostile name or message is text and nothing else", async () => {
    await page.getByRole("button", { name: "Rename" }).click();
    await page.locator(".rename").fill(HOSTILE.slice(0, 40));
    await page.keyboard.press("Enter");
    await until("the name on the tile", async () => (await page.textContent(".tile .name")) === HOSTILE.slice(0, 40));
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    // The one image that is the page's own is the picture of what the learner sees.
    assert.equal(await page.locator("#app img:not(.picture)").count(), 0);
    const policy = (await page.request.get(URL_HERE)).headers()["content-security-policy"];
    assert.ok(policy.includes("script-src 'self'") && !policy.includes("unsafe"), policy);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.locator(".rename").fill("");
    await page.keyboard.press("Enter");
  });

  await step("everything is reached by keyboard, and focus is seen", async () => {
    await page.keyboard.press("Escape");
    await until("the panel to close", async () => !(await page.isVisible("#learner")));
    assert.equal(await page.evaluate(() => document.activeElement.className), "tile", "back where one came from");
    await page.locator("#tab-class").focus();
    for (const [key, tab] of [["ArrowRight", "tab-lesson"], ["ArrowRight", "tab-alerts"], ["Home", "tab-class"]]) {
      await page.keyboard.press(key);
      assert.equal(await page.evaluate(() => document.activeElement.id), tab);
    }
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "filter");
    for (const next of ["order", "new-group"]) {
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.id), next);
    }
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "tile");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#learner:visible");
    const reached = new Set();
    for (let n = 0; n < 12; n += 1) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.textContent));
    }
    for (const name of ["Message …", "Adapt …", "Rename"]) assert.ok(reached.has(name), `${name}: ${[...reached]}`);
    await page.keyboard.press("Escape");
  });

  await step("an observer looks on: no buttons, and the machine says no to more", async () => {
    const { token } = await issue("observer's tablet", "observer");
    const { page: other, context } = await open();
    await comeIn(other, token);
    await until("the role", async () => (await other.textContent("#role")) === "observer");
    await other.click(".tile");
    await other.waitForSelector("#learner:visible");
    assert.equal(await other.locator(".acts button").count(), 0);
    assert.equal(await other.isVisible("#pause-all"), false);
    assert.equal(await other.isVisible("#tab-audit"), false);
    const said = await other.evaluate(async (given) => {
      const { mcp } = await import("/page/mcp.js");
      const answer = await mcp(given, "tools/call", { name: "intervene.pause", arguments: {} });
      return [answer.isError, answer.content[0].text];
    }, token);
    assert.equal(said[0], true);
    assert.match(said[1], /role observer/);
    await context.close();
  });

  await step("who signs out leaves nothing behind, and the code's token opens nothing any more", async () => {
    const { code } = await api("POST", "pairing", TOKEN, { role: "observer" });
    const { page: other, context } = await open();
    await other.goto(URL_HERE);
    await other.fill("#code", code);
    await other.keyboard.press("Enter");
    await other.waitForSelector(".tile");
    const { token } = await other.evaluate(() => JSON.parse(sessionStorage.getItem("malloc-vr token")));
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.waitForSelector("#signin:visible");
    assert.equal(await other.locator(".tile").count(), 0);
    assert.equal(await other.evaluate(() => sessionStorage.getItem("malloc-vr token")), null);
    assert.equal((await api("GET", "tokens/self", token)).error, "token_over");
    await context.close();
  });

  await step("a revoked token ends it with clear words", async () => {
    const given = await issue("lost tablet", "instructor");
    const { page: other, context } = await open();
    await comeIn(other, given.token);
    await api("DELETE", `tokens/${given.id}`);
    await other.waitForSelector("#signin:visible");
    assert.match(await other.textContent("#signin-why"), /expired or was revoked/);
    assert.equal(await other.evaluate(() => sessionStorage.getItem("malloc-vr token")), null);
    assert.equal(await other.locator(".tile").count(), 0, "nothing stays on the screen");
    await context.close();
  });

  await step("a host that dies is said, and the page comes back by itself with all that happened", async () => {
    const events = () => page.evaluate(() => [...window.come.keys()].length);
    await please({ do: "kill" });
    await page.waitForSelector("#banner:visible");
    assert.equal(await page.textContent("#link"), "Not linked");
    await shot(page, "link-lost");
    const before = await events();
    await please({ do: "start" });
    await until("the link", async () => (await page.textContent("#link")) === "Live", 60000);
    await until("the learner", async () => (await events()) > before, 60000);
    const gaps = await page.evaluate(() => {
      const seqs = [...window.come.keys()].map((key) => Number(key.split(" ")[1])).sort((a, b) => a - b);
      return seqs.filter((seq, at) => at > 0 && seq > seqs[at - 1] + 1);
    });
    assert.deepEqual(gaps, [], "no event was missed");
  });

  await acts();
  await looks(2);

  await please({ do: "learners", first: 1, count: 63, every: 20 });

  await step("sixty-four learners at once, live and without lag", async () => {
    await until("everybody", async () => (await page.locator(".tile").count()) >= 64, 120000);
    const { all: measured, way, page: drawn, slow, list, beside, frame } = await delays(page, 20);
    assert.ok(measured.length > 64, `${measured.length} events`);
    figures.delay_64_p50_ms = quantile(measured, 0.5);
    figures.delay_64_p95_ms = quantile(measured, 0.95);
    figures.delay_64_max_ms = Math.max(...measured);
    figures.delay_64_events = measured.length;
    // Where the time goes: until it came over the socket, and from there to the screen.
    figures.way_64_p95_ms = quantile(way, 0.95);
    figures.way_64_max_ms = Math.max(...way);
    figures.drawn_64_p95_ms = quantile(drawn, 0.95);
    figures.drawn_64_max_ms = Math.max(...drawn);
    // Another program had it over the same door so long after it happened: what the way to the browser takes beyond that is
    // the browser's. And the longest that a learner's runtime was at one frame.
    figures.beside_64_p50_ms = quantile(beside, 0.5);
    figures.beside_64_p95_ms = quantile(beside, 0.95);
    figures.beside_64_max_ms = Math.max(...beside);
    figures.runtime_frame_64_max_ms = frame;
    figures.way_64_p50_ms = quantile(way, 0.5);
    figures.drawn_64_p50_ms = quantile(drawn, 0.5);
    // The host's own rounds since it began: what of the way is waiting for it.
    const took = await page.evaluate(async () => {
      const { mcp, resourceJson } = await import("/page/mcp.js");
      const { token } = JSON.parse(sessionStorage.getItem("malloc-vr token"));
      return resourceJson(await mcp(token, "resources/read", { uri: "ops://metrics" })).world.frames.took;
    });
    figures.host_round_64_p99_ms = Math.round(took.p99_ms);
    figures.host_round_64_max_ms = Math.round(took.longest_ms);
    figures.slow_frame_64_max_ms = Math.round(Math.max(0, ...slow.map((it) => it.ms)));
    if (process.env.MALLOC_VR_PAGE_WHY) console.log(`why: ` + JSON.stringify({ slow: slow.sort((a, b) => b.ms - a.ms).slice(0, 6), list: list.sort((a, b) => b.all - a.all).slice(0, 8) }));
    // What the page itself costs: the longest task, and how long a keystroke takes until the next picture.
    const typed = [];
    for (const letter of ["p", "l", "a", "c"]) {
      typed.push(await page.evaluate((it) => new Promise((resolve) => {
        const begun = performance.now();
        const filter = document.getElementById("filter");
        filter.value += it;
        filter.dispatchEvent(new Event("input"));
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun), 0));
      }), letter));
    }
    figures.keystroke_64_max_ms = Math.round(Math.max(...typed));
    await page.fill("#filter", "");
    await page.click("#tab-lesson");
    await page.waitForSelector(".graph .node");
    await until("somebody on the graph", async () => (await page.locator(".graph .dot").count()) > 20);
    await shot(page, "lesson", { fullPage: true });
    await page.click("#tab-alerts");
    await until("an alert", async () => (await page.locator(".alerts li").count()) > 0, 60000);
    await until("words for screen readers", async () => (await page.textContent("#alarm")).length > 0);
    await shot(page, "alerts");
  });

  await step("an operator sees the audit; everybody can be paused and let go on", async () => {
    const { page: other, context } = await open();
    await comeIn(other, TOKEN);
    await other.click("#pause-all");
    await other.getByRole("button", { name: "Pause all" }).last().click();
    await until("everybody's pause", async () => Number(await other.textContent("[data-key=rest] b")) > 40, 60000);
    await other.click("#resume-all");
    await until("going on", async () => Number(await other.textContent("[data-key=rest] b")) < 5, 60000);
    await other.click("#tab-audit");
    await until("lines of the audit", async () => (await other.locator("#view-audit tbody tr").count()) > 5);
    assert.ok((await other.textContent("#view-audit")).includes("Pause"));
    await shot(other, "audit");
    await context.close();
  });

  await step("on a tablet nothing is cut off and every control is large enough for a finger", async () => {
    const { page: other, context } = await open({ viewport: { width: 820, height: 1180 }, hasTouch: true, colorScheme: "light" });
    await comeIn(other, TOKEN);
    await other.waitForTimeout(1500);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px too wide`);
    await shot(other, "tablet");
    await other.tap(".tile >> nth=0");
    await other.waitForSelector("#learner:visible");
    await other.waitForTimeout(1200);
    const small = await other.evaluate(() => [...document.querySelectorAll("button, input, select")].map((it) => [it.getBoundingClientRect(), it.textContent]).filter(([box]) => box.width > 0 && (box.width < 24 || box.height < 24)).map(([, text]) => text));
    assert.deepEqual(small, [], "WCAG 2.5.8");
    await shot(other, "tablet-learner");
    await context.close();
  });

  await step("in a chat client the same page works through the client alone", async () => {
    const chat = await serveHost(URL_HERE, TOKEN);
    const { page: other, context } = await open();
    await other.goto(chat.url);
    const frame = other.frameLocator("iframe");
    await frame.locator(".tile").first().waitFor({ timeout: 60000 });
    await until("the class", async () => (await frame.locator(".tile").count()) >= 64, 60000);
    await shot(other, "mcp-app");
    await frame.locator(".tile").first().click();
    await frame.getByRole("button", { name: "Pause", exact: true }).click();
    await until("the pause", async () => (await frame.locator("#learner .chip").textContent()) === "Paused");
    await frame.getByRole("button", { name: "Resume", exact: true }).click();
    await until("going on", async () => (await frame.locator("#learner .chip").textContent()) !== "Paused");
    await shot(other, "mcp-app-learner");
    const seen = await other.evaluate(() => window.methods);
    for (const method of ["ui/initialize", "ui/notifications/initialized", "tools/call", "ui/update-model-context", "ui/notifications/size-changed"]) {
      assert.ok(seen.includes(method), `${method}: ${seen}`);
    }
    await other.evaluate(() => window.theme("light"));
    await until("the client's theme", async () => (await frame.locator("html").getAttribute("data-theme")) === "light");
    await shot(other, "mcp-app-light");
    assert.equal(await other.evaluate(() => window.teardown()), true);
    assert.deepEqual(chat.refused, [], "nothing but the client was spoken to");
    await context.close();
    chat.close();
  });

  await looks(64);

  await step("pictures of a class that has been at work for a while", async () => {
    await page.click("#tab-class");
    await page.waitForTimeout(20000);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.keyboard.press("Escape");
      await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
      await page.waitForTimeout(3000);
      await shot(page, `class-64-${colorScheme}`);
      await page.click(".tile >> nth=0");
      await page.waitForTimeout(1500);
      await shot(page, `learner-${colorScheme}`);
      await page.evaluate(() => document.querySelector(".decisions").scrollIntoView());
      await page.waitForTimeout(300);
      await shot(page, `learner-why-${colorScheme}`);
    }
  });

  assert.deepEqual(problems, []);
  fs.writeFileSync(path.join(OUT, "figures.json"), JSON.stringify(figures, null, 2));
  console.log(`${passed.length} steps; ${Object.entries(figures).map(([name, value]) => `${name} ${value}`).join(", ")}`);
} catch (error) {
  console.log(`FAILED after “${passed.at(-1) ?? "nothing"}”: ${error.stack}`);
  if (problems.length) console.log(problems.join("\n"));
  for (const context of browser.contexts()) {
    for (const [n, page] of context.pages().entries()) await shot(page, `failed-${n}`).catch(() => {});
  }
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
