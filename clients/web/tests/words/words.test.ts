import { describe, expect, test } from "vitest";
import { en } from "../../src/words/en.js";
import { LANGUAGES, loadWords, speechOf } from "../../src/words/languages.js";
import { type Plural, texts, type Words } from "../../src/words/words.js";

const KEYS = Object.keys(en) as (keyof Words)[];
const gaps = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
const sentences = (word: string | Plural) =>
  typeof word === "string" ? [word] : Object.values(word);

describe.each(LANGUAGES)("%s", (language) => {
  test("has every text", async () => {
    const words = await loadWords(language);
    expect(Object.keys(words).sort()).toEqual([...KEYS].sort());
    for (const key of KEYS)
      for (const sentence of sentences(words[key])) expect(sentence.trim()).not.toBe("");
  });

  test("fills in what English fills in", async () => {
    const words = await loadWords(language);
    for (const key of KEYS) {
      const word = words[key];
      const expected = gaps(typeof en[key] === "string" ? en[key] : en[key].other);
      expect(gaps(typeof word === "string" ? word : word.other), key).toEqual(expected);
    }
  });

  test("has every form that its numbers take", async () => {
    const words = await loadWords(language);
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const key of KEYS) {
      const word = words[key];
      if (typeof word !== "string")
        expect(Object.keys(word).sort(), key).toEqual([...forms].sort());
    }
  });

  test("is not English left as it was", async () => {
    if (language === "en") return;
    const words = await loadWords(language);
    const same = KEYS.filter((key) => JSON.stringify(words[key]) === JSON.stringify(en[key]));
    expect(same.filter((key) => key !== "name")).toEqual([]);
  });
});

test("a number takes the form of its language", async () => {
  const text = texts(await loadWords("ar"), {}, "ar-u-nu-latn", false);
  const said = [0, 1, 2, 3, 11, 100].map((count) => text("freeTimes", { count }));
  expect(said).toEqual([
    "لا أوقات متاحة",
    "وقت واحد متاح",
    "وقتان متاحان",
    "3 أوقات متاحة",
    "11 وقتًا متاحًا",
    "100 وقت متاح",
  ]);
});

test("where text runs right to left, what is filled in keeps its own direction", async () => {
  const text = texts(await loadWords("ar"), {}, "ar", true);
  expect(text("timesIn", { zone: "Europe/London (GMT)" })).toContain(
    "\u2068Europe/London (GMT)\u2069",
  );
});

test("single texts are replaced, also a plural one by a plain one", () => {
  const text = texts(en, { continue: "Go on", freeTimes: "{count} free" }, "en", false);
  expect([text("continue"), text("back"), text("freeTimes", { count: 1 })]).toEqual([
    "Go on",
    "Back",
    "1 free",
  ]);
});

test("what is filled in is not read again", () => {
  const text = texts(en, {}, "en", false);
  expect(text("holding", { time: "{count} $& $1" })).toBe("Holding {count} $& $1 …");
});

describe("which language", () => {
  test.each([
    [["de"], [], "de", "de-u-ca-gregory"],
    [["de-AT"], [], "de", "de-AT-u-ca-gregory"],
    [["tlh", "fr-CA"], [], "fr", "fr-CA-u-ca-gregory"],
    [["pt", "zz zz", ""], [], "en", "en-u-ca-gregory"],
    [["en"], ["de-DE", "en-GB"], "en", "en-GB-u-ca-gregory"],
    [[null, undefined, "ja"], [], "ja", "ja-u-ca-gregory"],
  ])("of %j for a visitor of %j", (wishes, visitor, language, locale) => {
    expect(speechOf(wishes, visitor)).toMatchObject({ language, locale });
  });

  test("Arabic runs right to left", () => {
    expect(speechOf(["ar-EG"]).direction).toBe("rtl");
    expect(speechOf(["ja"]).direction).toBe("ltr");
  });
});
