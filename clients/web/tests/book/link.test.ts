import { expect, test } from "vitest";
import { readLink } from "../../pages/book/link.js";

/** As the service writes them: service/domain/capability.py. */
function aTicket(kind = 3, business = "demo-salon"): string {
  const id = "0193a5b27c1d4f008a01fedcba987654"
    .match(/../g)
    ?.map((hex) => Number.parseInt(hex, 16));
  const bytes = [...Array(16).fill(0xff), kind, 0, 0x70, 1, 2, 3, ...(id ?? [])];
  const text = String.fromCharCode(...bytes) + business;
  return `slotcast_handoff_${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

test("a link names its business, and is its own key", () => {
  expect(readLink(`#${aTicket()}`)).toEqual({
    ticket: aTicket(),
    business: "businesses/demo-salon",
  });
});

test("the longest business has its link too", () => {
  const business = `a${"-b".repeat(19)}c`;
  expect(business).toHaveLength(40);
  expect(readLink(aTicket(3, business))?.business).toBe(`businesses/${business}`);
});

test.each([
  "",
  "#",
  "#slotcast_handoff_",
  `#${aTicket().slice(0, 60)}`,
  `#${aTicket(1)}`,
  `#${aTicket().replace("handoff", "manage")}`,
  `#${aTicket(3, "no business")}`,
  "#slotcast_handoff_%F0%9F%98%80",
])("a link that is not whole, or is another's, is none: %s", (fragment) => {
  expect(readLink(fragment)).toBeNull();
});
