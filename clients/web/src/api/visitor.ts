/** Who looks: somebody else in each widget, so that the holds of one are nobody else's. */
export function newVisitor(): string {
  return `web-${newId()}`;
}

const KEPT = "slotcast-ticket";

/**
 * Who came with a ticket: in the same browser the same one, so that who loads the page anew, or follows the
 * link of the chat again, has what they held. Only the newest ticket is remembered, and of that only its end:
 * without its beginning, its signature, it opens nothing.
 */
export function visitorOf(ticket: string): string {
  const mark = ticket.slice(-32);
  const visitor = newVisitor();
  try {
    const [kept, before] = (localStorage.getItem(KEPT) ?? "").split(" ");
    if (kept === mark && before) return before;
    localStorage.setItem(KEPT, `${mark} ${visitor}`);
  } catch {
    // A browser that keeps nothing: who loads the page anew is somebody else there.
  }
  return visitor;
}

/** A random id, also where the page came over plain HTTP and `crypto.randomUUID` is kept from it. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
