/** Who looks: somebody else in each widget, so that the holds of one are nobody else's. */
export function newVisitor(): string {
  return `web-${newId()}`;
}

/** A random id, also where the page came over plain HTTP and `crypto.randomUUID` is kept from it. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
