import { describe, expect, test } from "vitest";
import { reasonOf } from "../../pages/manage/reason.js";
import { en } from "../../pages/manage/words/en.js";
import { loadManageWords, type ManageKey } from "../../pages/manage/words.js";
import { LANGUAGES } from "../../src/words/languages.js";

const KEYS = Object.keys(en) as ManageKey[];
const gaps = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();

describe.each(LANGUAGES)("%s", (language) => {
  test("has every text of the page, and fills in what English fills in", async () => {
    const words = await loadManageWords(language);
    expect(Object.keys(words).sort()).toEqual([...KEYS].sort());
    for (const key of KEYS) {
      expect(words[key].trim()).not.toBe("");
      expect(gaps(words[key]), key).toEqual(gaps(en[key]));
    }
  });

  test("is not English left as it was", async () => {
    if (language === "en") return;
    const words = await loadManageWords(language);
    expect(KEYS.filter((key) => words[key] === en[key])).toEqual([]);
  });
});

test("a reason is one line, as the service takes it", () => {
  expect(reasonOf(" I am\n\tunwell\u2028today \u0007")).toBe("I am unwell today");
});
