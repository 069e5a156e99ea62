import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { PREACT } from "./vite.config.js";

const TESTING_LIBRARY = "node_modules/@testing-library/react/dist/@testing-library/react.esm.js";

/** The widget's tests run twice: on React, and on what the custom element is built with. */
const WIDGET_TESTS = {
  environment: "jsdom",
  include: ["tests/widget/**/*.test.tsx"],
  setupFiles: ["tests/widget/setup.ts"],
  testTimeout: 20_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "rest",
          include: ["tests/**/*.test.{ts,tsx}"],
          exclude: ["tests/widget/**/*.tsx"],
        },
      },
      { test: { ...WIDGET_TESTS, name: "react" } },
      {
        resolve: {
          alias: {
            ...PREACT,
            "react-dom/test-utils": "preact/test-utils",
            // As ES modules, for the aliases do not reach into CommonJS.
            "@testing-library/react": resolve(import.meta.dirname, TESTING_LIBRARY),
          },
        },
        test: {
          ...WIDGET_TESTS,
          name: "preact",
          server: { deps: { inline: [/@testing-library\/react/, /react-aria/, /react-stately/] } },
        },
      },
    ],
  },
});
