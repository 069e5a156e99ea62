import { expect, test } from "vitest";
import { readLink } from "../../pages/manage/link.js";

// As the service writes them: service/domain/capability.py.
const ID = "0193a5b2-7c1d-4f00-8a01-fedcba987654";
const BOOKING = "slotcast_manage_1_KHVsig3co488AaVAT1LAEAcr5dgAGTpbJ8HU8AigH-3LqYdlRkZW1vLXNhbG9u";
const OFFER = "slotcast_manage_27Gi7yFh6BtcPq3ZpsaTVAIAcNvmkAGTpbJ8HU8AigH-3LqYdlRh";

test("a link of a booking names it and its business", () => {
  expect(readLink(`#${BOOKING}`)).toEqual({
    token: BOOKING,
    kind: "booking",
    business: "businesses/demo-salon",
    name: `businesses/demo-salon/bookings/${ID}`,
  });
});

test("a link of an offer names the entry in the waitlist", () => {
  expect(readLink(`#${OFFER}`)).toMatchObject({
    kind: "offer",
    name: `businesses/a/waitlist/${ID}`,
  });
});

test.each([
  "",
  "#",
  "#slotcast_manage_",
  "#manage_1",
  `#${BOOKING.slice(0, 60)}`,
  `#${BOOKING.slice(0, -11)}`,
  `#${BOOKING.replace("slotcast", "slotcost")}`,
  "#slotcast_manage_%F0%9F%98%80",
  `#slotcast_manage_${"A".repeat(80)}`,
])("a link that is not whole is none: %s", (fragment) => {
  expect(readLink(fragment)).toBeNull();
});
