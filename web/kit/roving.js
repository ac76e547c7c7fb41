// One stop for Tab in a list of controls; the arrow keys move among them (ARIA Authoring Practices, roving tabindex).

const NEXT = ["ArrowDown", "ArrowRight"];
const PREVIOUS = ["ArrowUp", "ArrowLeft"];

/** Arrow keys, Home and End move the focus among a container's visible `selector`s, from the last round to the first. */
export class Roving {
  #container;
  #selector;

  constructor(container, selector) {
    this.#container = container;
    this.#selector = selector;
    container.addEventListener("keydown", (event) => this.#turn(event));
    container.addEventListener("focusin", ({ target }) => {
      const item = target.closest(selector);
      if (item) this.settle(item);
    });
  }

  /** Let Tab come to one of them: the one named, or that it came to before, or the first. Say so after they changed. */
  settle(chosen = null) {
    const items = this.#items();
    const current = chosen ?? items.find((item) => item.tabIndex === 0) ?? items[0];
    for (const item of items) item.tabIndex = item === current ? 0 : -1;
  }

  #items() {
    return [...this.#container.querySelectorAll(this.#selector)].filter((item) => item.checkVisibility());
  }

  #turn(event) {
    const items = this.#items();
    const at = items.indexOf(document.activeElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = items.length - 1;
    const to = NEXT.includes(event.key) ? (at === last ? 0 : at + 1) : PREVIOUS.includes(event.key) ? (at === 0 ? last : at - 1)
      : event.key === "Home" ? 0 : event.key === "End" ? last : null;
    if (to === null) return;
    event.preventDefault();
    items[to].focus();
  }
}
