/** For a button that goes away when it is pressed: the times that come instead get its focus. */
export function keepFocus({ currentTarget }: { currentTarget: Element }): void {
  const screen = currentTarget.closest(".slotcast-time-screen");
  screen?.querySelector<HTMLElement>(".slotcast-side")?.focus();
}
