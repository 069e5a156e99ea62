import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenRules, type FormField, trimmed } from "../../src/form/rules.js";
import { descriptors } from "./descriptors.js";

type Values = Record<FormField, string>;

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(descriptors)));
const validator = createValidator();
const GOOD: Values = { displayName: "Kim", email: "", phone: "", note: "" };
const ORDER = ["string.min_len", "string.max_len", "string.pattern", "string.email"];
const NAMES = { "string.min_len": "required", "string.max_len": "too_long" } as const;

/** What the server says, by the same rules: for each field, the first rule that it breaks. */
function refused(values: Values): string[] {
  const { note, ...customer } = trimmed(values);
  const first = new Map<string, string>();
  const violations = [
    ...violationsOf("slotcast.v1.Customer", customer).map((each) => [fieldOf(each), each] as const),
    ...violationsOf("slotcast.v1.BookRequest", { fields: { note } }).map(
      (each) => ["note", each] as const,
    ),
  ];
  for (const [field, { ruleId }] of violations) {
    const known = ORDER.find((rule) => ruleId.startsWith(rule));
    if (known === undefined) throw new Error(`unknown rule ${ruleId}`);
    const before = first.get(field);
    if (before === undefined || ORDER.indexOf(known) < ORDER.indexOf(before))
      first.set(field, known);
  }
  return [...first].map(([field, rule]) => `${field} ${nameOf(rule)}`).sort();
}

function violationsOf(message: string, init: object): Violation[] {
  const schema = registry.getMessage(message);
  if (schema === undefined) throw new Error(`no ${message}`);
  const result = validator.validate(schema, create(schema, init as never));
  if (result.kind === "error") throw result.error;
  return result.violations ?? [];
}

function fieldOf(violation: Violation): string {
  const [first] = violation.field;
  if (first?.kind !== "field") throw new Error("a violation of no field");
  return first.localName;
}

function nameOf(rule: string): string {
  return NAMES[rule as keyof typeof NAMES] ?? "malformed";
}

function ours(values: Values): string[] {
  return brokenRules(values)
    .map(({ field, rule }) => `${field} ${rule}`)
    .sort();
}

const CONTROLS = [..."\u0000\u0007\t\n\u000b\r\u001f\u007f\u0085\u009f"];
const SEPARATORS = [..."\u2028\u2029\u00a0\u200b\ufeff\u202e\ufffd"];

const NAMES_OF_PEOPLE = [
  "",
  " ",
  "\u3000",
  "Zoë",
  "李 小龙",
  "محمد",
  "a".repeat(200),
  "a".repeat(201),
  "😀".repeat(200),
  "😀".repeat(201),
  "e\u0301".repeat(100),
  "e\u0301".repeat(101),
  " ".repeat(300),
  `${" ".repeat(50)}${"a".repeat(200)}${" ".repeat(50)}`,
  "<script>alert(1)</script>",
  ...[...CONTROLS, ...SEPARATORS].flatMap((odd) => [odd, `a${odd}b`, `${odd}ab`, `ab${odd}`]),
];

const EMAILS = [
  "foo@example.com",
  "foo@example",
  "foo@localhost",
  "foo@1.2.3.4",
  "foo@0",
  "FOO@Example.COM",
  ".foo@example.com",
  "foo.@example.com",
  "fo..o@example.com",
  "foo+tag@example.com",
  "!#$%&'*+/=?^_`{|}~-@example.com",
  `foo@${"a".repeat(63)}.com`,
  `foo@${"a".repeat(64)}.com`,
  `foo@a${"-".repeat(61)}b.com`,
  `${"a".repeat(242)}@example.com`,
  `${"a".repeat(243)}@example.com`,
  "foo@-example.com",
  "foo@example-.com",
  "foo@example.com.",
  "foo@.example.com",
  "foo@example..com",
  "foo@exa_mple.com",
  "foo@[127.0.0.1]",
  "foo@",
  "@example.com",
  "@",
  "foo",
  "foo@bar@example.com",
  '"foo bar"@example.com',
  "foo bar@example.com",
  "foo@exam ple.com",
  "foo@example.com\n",
  "foo@exa\nmple.com",
  "foo(comment)@example.com",
  "foo,bar@example.com",
  "Foo <foo@example.com>",
  "foö@example.com",
  "foo@exämple.com",
  "foo@xn--exmple-cua.com",
  // KELVIN SIGN and LONG S, which are letters of ASCII to a search that looks at no case.
  "foo@\u212a.com",
  "foo@\u017f.com",
  "\u0000foo@example.com",
];

const PHONES = [
  "+49 30 1234-567",
  "(030) 123/456.7",
  "12",
  "123",
  "++1",
  "+",
  "+12",
  "+123",
  "1".repeat(40),
  "1".repeat(41),
  `+${"1".repeat(40)}`,
  "...",
  "12a",
  "１２３",
  "٠١٢٣",
  "123\n",
  "123\n456",
  "12\u00a034",
  "tel:123",
];

const NOTES = [
  "two\nlines\tand a tab",
  "carriage\r\nreturn",
  " ",
  "x".repeat(2000),
  "x".repeat(2001),
  "😀".repeat(2000),
  "😀".repeat(2001),
  "\n".repeat(2000),
  "<img src=x onerror=alert(1)>",
  ...[...CONTROLS, ...SEPARATORS].flatMap((odd) => [odd, `a${odd}b`, `ab${odd}`]),
];

const CASES: [FormField, string[]][] = [
  ["displayName", NAMES_OF_PEOPLE],
  ["email", EMAILS],
  ["phone", PHONES],
  ["note", NOTES],
];

describe("the rules of the form are those of the server", () => {
  for (const [field, texts] of CASES) {
    it.each(texts.map((text) => [JSON.stringify(text).slice(0, 60), text]))(
      `${field} %s`,
      (_, text) => {
        const values = { ...GOOD, [field]: text };
        expect(ours(values)).toEqual(refused(values));
      },
    );
  }

  const odd = fc.constantFrom(...CONTROLS, ...SEPARATORS, ..."😀é-.@+ a1");
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: odd, maxLength: 50 }),
    fc.string({ unit: "grapheme", minLength: 150, maxLength: 250 }),
    fc.emailAddress(),
    fc.tuple(fc.string(), fc.domain()).map(([user, domain]) => `${user}@${domain}`),
    fc.string({ unit: fc.constantFrom(..."0123456789 ()./-+"), maxLength: 45 }),
  );

  it("for whatever is written", () => {
    const form = fc.record({ displayName: text, email: text, phone: text, note: text });
    fc.assert(
      fc.property(form, (values) => {
        expect(ours(values)).toEqual(refused(values));
      }),
      { numRuns: 500 },
    );
  });
});

describe("a broken rule", () => {
  it("says what its limit is", () => {
    expect(brokenRules({ ...GOOD, displayName: " ", note: "x".repeat(2001), phone: "no" })).toEqual(
      [
        { field: "displayName", rule: "required", limit: 1 },
        { field: "phone", rule: "malformed", limit: 0 },
        { field: "note", rule: "too_long", limit: 2000 },
      ],
    );
  });

  it("is not that there are blanks around a name", () => {
    expect(brokenRules({ ...GOOD, displayName: "  Kim\n", email: " kim@example.com " })).toEqual(
      [],
    );
  });
});
