/**
 * Gives the focus to what `find` names as soon as it is drawn and takes it. The list draws a far row some frames after
 * it was scrolled to, and hides it until it has measured it, so there is no moment that could be waited for: every change
 * of the list is a new attempt. Whoever presses a key or a button meanwhile wants the focus elsewhere.
 *
 * The caller ends the waiting with what this gives back.
 */
export function focusWhenDrawn(list: HTMLElement, find: () => HTMLElement | null): () => void {
  const attempt = () => {
    const row = find();
    row?.focus({ preventScroll: true });
    return row !== null && row.ownerDocument.activeElement === row;
  };
  if (attempt()) return () => {};
  const page = list.ownerDocument;
  const observer = new MutationObserver(() => {
    if (attempt()) end();
  });
  const pressed = (event: Event) => {
    // A key that is still held down from opening the list is no new wish.
    if (!("repeat" in event && event.repeat)) end();
  };
  const end = () => {
    observer.disconnect();
    page.removeEventListener("pointerdown", pressed, true);
    page.removeEventListener("keydown", pressed, true);
  };
  observer.observe(list, { subtree: true, childList: true, attributes: true, attributeFilter: ["style"] });
  page.addEventListener("pointerdown", pressed, true);
  page.addEventListener("keydown", pressed, true);
  return end;
}
