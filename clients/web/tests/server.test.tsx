// @vitest-environment node
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { SlotcastBooking } from "../src/index.js";

test("it can be rendered on a server, where nothing is known yet", () => {
  const html = renderToString(<SlotcastBooking url="" apiKey="key" business="salon" />);
  expect(html).toContain("slotcast-skeleton");
});
