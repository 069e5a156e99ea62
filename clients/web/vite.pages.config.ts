/** The pages of `make demo`: each folder of `pages` with an index.html is one. Built after the element. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const HERE = import.meta.dirname;
const PAGES = join(HERE, "pages");
/** What is copied as it is, and what is built by itself, on Preact: see `page` in vite.config.ts. */
const NOT_HERE = ["public/**", "manage/**", "book/**"];
const ELEMENT = join(HERE, "dist", "element");

export default defineConfig({
  root: PAGES,
  publicDir: join(PAGES, "public"),
  // As in an application that has installed the package; here it is its source.
  resolve: {
    alias: [
      { find: /^@slotcast\/widget$/, replacement: join(HERE, "src", "index.ts") },
      { find: "@slotcast/widget/style.css", replacement: join(HERE, "src", "widget", "style.css") },
    ],
  },
  plugins: [copyOfElement()],
  build: {
    outDir: join(HERE, "dist", "pages"),
    emptyOutDir: true,
    // As the widget's: what is older does not know `light-dark()`.
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    modulePreload: { polyfill: false },
    rolldownOptions: { input: entries() },
  },
});

function entries(): Record<string, string> {
  const files = globSync("**/index.html", { cwd: PAGES, exclude: NOT_HERE });
  return Object.fromEntries(
    files.map((file) => [dirname(file) === "." ? "chat" : dirname(file), resolve(PAGES, file)]),
  );
}

/** The pages load the element as any page would: the built one, from `/element/`. */
function copyOfElement(): Plugin {
  return {
    name: "copy-of-element",
    generateBundle() {
      if (!existsSync(join(ELEMENT, "slotcast-booking.js")))
        this.error("The element is not built: run `vite build` first.");
      for (const name of readdirSync(ELEMENT, { recursive: true, encoding: "utf8" })) {
        if (!name.endsWith(".js")) continue;
        const source = readFileSync(join(ELEMENT, name));
        this.emitFile({ type: "asset", fileName: `element/${name}`, source });
      }
    },
  };
}
