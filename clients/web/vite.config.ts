import { isAbsolute, resolve } from "node:path";
import { defineConfig, type UserConfig } from "vite";
import { firstScreenSize, spokenLocales, styleOf, withoutProtobufJson } from "./vite.plugins.js";

const here = import.meta.dirname;

/** The same components on a tenth of React: what a page loads by one script tag. */
export const PREACT = {
  "react-dom/client": "preact/compat/client",
  "react-dom": "preact/compat",
  "react/jsx-runtime": "preact/compat/jsx-runtime",
  react: "preact/compat",
};

/** What a browser must know: container queries, `light-dark()`, relative colours, `:has()`, ES modules. */
const BROWSERS = ["chrome123", "edge123", "firefox128", "safari18"];

/** In a folder of their own: what is in it is never another file, and a server may let it be kept for ever. */
const CHUNKS = "chunks/[name]-[hash].js";

/** `vite build`: the custom element, in chunks that find each other in any folder. */
const element: UserConfig = {
  base: "./",
  resolve: { alias: PREACT },
  plugins: [spokenLocales(), withoutProtobufJson(), firstScreenSize()],
  build: {
    outDir: "dist/element",
    target: BROWSERS,
    modulePreload: false,
    rolldownOptions: {
      // Chunks never import the entry: a page may add a query to its address, and would have it twice.
      preserveEntrySignatures: "strict",
      input: { "slotcast-booking": resolve(here, "src/element.tsx") },
      output: { entryFileNames: "[name].js", chunkFileNames: CHUNKS },
    },
  },
};

/** `vite build --mode react`: the npm package; what it needs is the application's to bundle. */
const react: UserConfig = {
  plugins: [styleOf(resolve(here, "src/index.ts"))],
  build: {
    outDir: "dist/react",
    target: BROWSERS,
    lib: {
      entry: resolve(here, "src/index.ts"),
      formats: ["es"],
      fileName: "index",
      cssFileName: "style",
    },
    rolldownOptions: {
      external: (id) => !id.startsWith(".") && !isAbsolute(id),
      // Frameworks that render on a server take it for the browser's.
      output: { chunkFileNames: CHUNKS, banner: '"use client";' },
    },
  },
};

/** A page by itself, on Preact too. It goes beside the other pages, which must be built before. */
function page(name: string): UserConfig {
  return {
    root: resolve(here, "pages", name),
    base: `/${name}/`,
    publicDir: false,
    resolve: { alias: PREACT },
    plugins: [spokenLocales(), withoutProtobufJson()],
    build: {
      outDir: resolve(here, "dist/pages", name),
      emptyOutDir: true,
      target: BROWSERS,
      modulePreload: { polyfill: false },
    },
  };
}

/** `vite build --mode manage`: where a letter's link leads; `--mode book`: where a chat's does. */
const BUILDS: Readonly<Record<string, UserConfig>> = {
  element,
  react,
  manage: page("manage"),
  book: page("book"),
};

export default defineConfig(({ mode }) => BUILDS[mode] ?? element);
