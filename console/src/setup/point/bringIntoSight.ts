/** Scrolls a list so far that one of its elements is seen, and nothing around the list: the page must not jump. */
export function bringIntoSight(list: HTMLElement | null, element: Element | null | undefined): void {
  if (list === null || element === null || element === undefined) {
    return;
  }
  const [outer, inner] = [list.getBoundingClientRect(), element.getBoundingClientRect()];
  if (inner.top < outer.top) {
    list.scrollTop -= outer.top - inner.top;
  } else if (inner.bottom > outer.bottom) {
    list.scrollTop += Math.min(inner.bottom - outer.bottom, inner.top - outer.top);
  }
}
