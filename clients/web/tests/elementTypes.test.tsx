import { renderToStaticMarkup } from "react-dom/server";
import { expect, expectTypeOf, test } from "vitest";
import type { BookingDetail, SlotcastBookingElement } from "../src/elementTypes.js";

test("TypeScript knows the tag in React, its attributes and its events", () => {
  const tag = (
    <slotcast-booking
      url="https://book.salon.example"
      api-key="sc_key"
      business="salon"
      heading-level={3}
      onslotcast-booked={({ detail }) => expectTypeOf(detail).toEqualTypeOf<BookingDetail>()}
    />
  );
  // @ts-expect-error: an address is a text.
  const wrong = <slotcast-booking url={true} />;

  expect(wrong.type).toBe("slotcast-booking");
  expect(renderToStaticMarkup(tag)).toBe(
    '<slotcast-booking url="https://book.salon.example" api-key="sc_key" business="salon" heading-level="3"></slotcast-booking>',
  );
});

test("TypeScript knows the element in the DOM, and what bubbles from it", () => {
  expectTypeOf<HTMLElementTagNameMap["slotcast-booking"]>().toEqualTypeOf<SlotcastBookingElement>();
  expectTypeOf<HTMLElementEventMap["slotcast-booked"]["detail"]>().toEqualTypeOf<BookingDetail>();
});
