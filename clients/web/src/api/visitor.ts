const STORED_AS = "slotcast-visitor";

/**
 * Who looks, by a random id for each browser tab: a reload keeps it, and with it one's own holds.
 * Where nothing may be stored it lasts as long as the page.
 */
export function visitorId(): string {
  try {
    const stored = sessionStorage.getItem(STORED_AS);
    if (stored) return stored;
    const made = `web-${newId()}`;
    sessionStorage.setItem(STORED_AS, made);
    return made;
  } catch {
    return `web-${newId()}`;
  }
}

/** A random id, also where the page came over plain HTTP and `crypto.randomUUID` is kept from it. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
