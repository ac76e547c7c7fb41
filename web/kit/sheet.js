// A dialog over the page: in its middle on a wide screen, at its foot on a small one.

/**
 * Opens and closes a `<dialog class="sheet">`; the browser keeps the focus inside and gives it back.
 *
 * Escape closes it, a press beside it, and every `[data-close]` in it. `closed` is called whenever it is closed.
 */
export class Sheet {
  #dialog;

  constructor(dialog, closed = () => {}) {
    this.#dialog = dialog;
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog || target.closest("[data-close]")) this.close();
    });
    dialog.addEventListener("close", closed);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Open it; the focus goes to its heading, which has `tabindex="-1"`. */
  open() {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    this.#dialog.querySelector("h2").focus();
  }

  /** Close it; nothing happens if it is closed. */
  close() {
    this.#dialog.close();
  }
}
