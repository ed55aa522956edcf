// Looks at the status page in Chromium as people do: wide and on a telephone, light and dark, and printed. Fails on a
// message of the console, on any request but for the page itself, and on what axe-core finds wrong for those who cannot
// see it. The pictures stand beside the page.
//
//     node check.mjs PAGE.html
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const file = resolve(process.argv[2]);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const address = pathToFileURL(file).href;
const faults = [];

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Root in a container has no other way; the page is our own.
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
for (const [name, width, height] of [["wide", 1200, 900], ["telephone", 360, 740]]) {
  for (const scheme of ["light", "dark"]) {
    const shown = `${name}, ${scheme}`;
    const page = await browser.newPage();
    page.on("console", (message) => faults.push(`${shown}: the console says ${message.text()}`));
    page.on("pageerror", (error) => faults.push(`${shown}: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== address) faults.push(`${shown}: it asks for ${request.url()}`);
    });
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(address, { waitUntil: "load" });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) faults.push(`${shown}: ${over} pixels wider than the screen`);
    await page.screenshot({ path: join(dirname(file), `page-${name}-${scheme}.png`), fullPage: true });
    const before = faults.length;
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
    for (const { id, help, nodes } of violations) {
      faults.push(`${shown}: ${id}: ${help}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
    }
    console.log(`${shown}: ${passes.length} rules hold, ${faults.length - before} do not`);
    if (name === "wide" && scheme === "light") {
      await page.pdf({ path: join(dirname(file), "page.pdf"), format: "a4" });
    }
    await page.close();
  }
}
await browser.close();
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
