import { describe, expect, test } from "vitest";
import type { PrefilledField } from "../../src/api/model.js";
import { NOTHING_WRITTEN } from "../../src/widget/draft.js";
import {
  fieldsToSend,
  languageToSend,
  prefilledWith,
  unconfirmed,
} from "../../src/widget/prefilled.js";

const said = (name: string, value: string): PrefilledField => ({ name, value, isInferred: false });
const guessed = (name: string, value: string): PrefilledField => ({
  name,
  value,
  isInferred: true,
});

describe("what a chat tells", () => {
  test("stands in the fields of the form, what was guessed as a suggestion", () => {
    const prefilled = prefilledWith(
      [said("display_name", "Ada"), guessed("email", "ada@example.com"), said("note", "a\nb")],
      {},
      {},
    );
    expect(prefilled.given).toEqual({
      displayName: "Ada",
      email: "ada@example.com",
      phone: "",
      note: "a\nb",
    });
    expect([...prefilled.suggested]).toEqual(["email"]);
    expect([prefilled.known, prefilled.guessed]).toEqual([[], []]);
  });

  test("counts before what the page knows where it was said, and after it where it was guessed", () => {
    const fields = [said("display_name", "Ada"), guessed("email", "guess@example.com")];
    const prefilled = prefilledWith(fields, { name: "A.", email: "ada@example.com" }, {});
    expect(prefilled.given).toMatchObject({ displayName: "Ada", email: "ada@example.com" });
    expect(prefilled.suggested.size).toBe(0);
  });

  test("has no breaks where there is one line, which would not show them", () => {
    expect(prefilledWith([said("display_name", " Ada\n\tL. ")], {}, {}).given.displayName).toBe(
      "Ada L.",
    );
  });

  test("of a name that comes twice, the first counts", () => {
    const { given } = prefilledWith(
      [said("email", "a@x.org"), guessed("email", "b@x.org")],
      {},
      {},
    );
    expect(given.email).toBe("a@x.org");
  });

  test("that the form has no field for is known, or guessed, in its order", () => {
    const fields = [said("insurance", "none"), guessed("pet", "dog"), said("first_visit", "yes")];
    const { known, guessed: guesses } = prefilledWith(fields, {}, {});
    expect(known.map(({ name }) => name)).toEqual(["insurance", "first_visit"]);
    expect(guesses.map(({ name }) => name)).toEqual(["pet"]);
  });

  test("is shown as far as it can be sent, beside the note and what the page passes on", () => {
    const fields = Array.from({ length: 40 }, (_, index) => said(`field-${index}`, "x"));
    const { known } = prefilledWith(fields, {}, { conversation: "c-17", "field-0": "page" });
    expect(known).toHaveLength(27);
    expect(known[0]?.name).toBe("field-1");
    const sent = fieldsToSend(
      prefilledWith(fields, {}, { conversation: "c" }),
      NOTHING_WRITTEN,
      { conversation: "c" },
      "a note",
    );
    expect(Object.keys(sent)).toHaveLength(30);
  });

  test.each(["__proto__", "constructor", "toString"])("may have the name %s", (name) => {
    const prefilled = prefilledWith([guessed(name, "x")], {}, {});
    const isNone = name === "__proto__";
    expect([...unconfirmed(prefilled, NOTHING_WRITTEN)]).toEqual(isNone ? [] : [name]);
    expect(fieldsToSend(prefilled, NOTHING_WRITTEN, {}, "")).toEqual(isNone ? {} : { [name]: "x" });
  });
});

describe("what was guessed", () => {
  const prefilled = prefilledWith([guessed("display_name", "Ada"), guessed("pet", "dog")], {}, {});

  test("is open until it is confirmed or something else is written, for each by itself", () => {
    expect([...unconfirmed(prefilled, NOTHING_WRITTEN)]).toEqual(["display_name", "pet"]);
    const draft = { ...NOTHING_WRITTEN, confirmed: new Set(["pet"]) };
    expect([...unconfirmed(prefilled, draft)]).toEqual(["display_name"]);
    expect([...unconfirmed(prefilled, { ...draft, typed: { displayName: "" } })]).toEqual([]);
  });

  test("is sent as it was written, and not at all where it was emptied", () => {
    const others = (value: string) => ({ ...NOTHING_WRITTEN, others: new Map([["pet", value]]) });
    expect(fieldsToSend(prefilled, others("cat"), {}, "")).toEqual({ pet: "cat" });
    expect(fieldsToSend(prefilled, others(" "), {}, "")).toEqual({});
  });
});

describe("language and time zone", () => {
  test("are taken as they were said, and only where the service takes them", () => {
    const { language, timeZone } = prefilledWith(
      [said("language", "de-AT"), said("time_zone", "Europe/Vienna")],
      {},
      {},
    );
    expect(language?.value).toBe("de-AT");
    expect(timeZone).toBeNull();
    const wrong = prefilledWith(
      [said("language", "German!"), guessed("time_zone", "Mars")],
      {},
      {},
    );
    expect([wrong.language, wrong.timeZone, wrong.known]).toEqual([null, null, []]);
  });

  test("do not stand in the way where they were guessed, and count once they are confirmed", () => {
    const prefilled = prefilledWith(
      [guessed("language", "fr"), guessed("time_zone", "Europe/Paris")],
      {},
      {},
    );
    expect(prefilled.timeZone?.value).toBe("Europe/Paris");
    expect(unconfirmed(prefilled, NOTHING_WRITTEN).size).toBe(0);
    expect(languageToSend(prefilled, NOTHING_WRITTEN)).toBe("");
    const draft = { ...NOTHING_WRITTEN, confirmed: new Set(["language"]) };
    expect(languageToSend(prefilled, draft)).toBe("fr");
  });
});
