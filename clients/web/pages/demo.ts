/** What `make demo` tells its pages: where to call, and with a key that may do what a page does. */
export interface Demo {
  readonly url: string;
  readonly business: string;
  readonly apiKey: string;
}

export async function readDemo(): Promise<Demo> {
  const answer = await fetch("/demo.json");
  if (!answer.ok) throw new Error(`/demo.json: ${answer.status}`);
  return (await answer.json()) as Demo;
}

/** What a page says where it cannot be told. */
export const NOT_SERVED =
  "This page was not served by `make demo`: there is no /demo.json beside it.";
