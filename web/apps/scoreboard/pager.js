// From page to page of a board, and to the reader's own.

import { byId } from "/web/kit/elements.js";
import { PAGE } from "./views.js";
import { number } from "./words.js";

/** The line below the places; `open(offset)` is called with where to go. */
export class Pager {
  #open;
  #offset = 0;
  #own = null;

  constructor(open) {
    this.#open = open;
    this.#press("page-before", () => this.#offset - PAGE);
    this.#press("page-after", () => this.#offset + PAGE);
    this.#press("page-first", () => 0);
    this.#press("page-own", () => pageOf(this.#own));
  }

  /** Show where we are: so many places before the first one, of so many in all; `own` is the reader's rank, or null. */
  show(offset, total, own) {
    this.#offset = offset;
    this.#own = own;
    byId("pager").hidden = total <= PAGE && offset === 0;
    const [from, to] = [offset + 1, offset + PAGE].map((place) => number(Math.min(place, total)));
    byId("page-range").textContent = total > 0 ? `${from} to ${to} of ${number(total)}` : "";
    this.#enable("page-before", offset > 0);
    this.#enable("page-after", offset + PAGE < total);
    byId("page-first").hidden = offset === 0;
    byId("page-own").hidden = own === null || pageOf(own) === offset;
    byId("page-own").textContent = own === null ? "" : `Go to my place, ${number(own)}`;
  }

  /** No pages here. */
  hide() {
    byId("pager").hidden = true;
  }

  #press(id, offset) {
    byId(id).addEventListener("click", ({ currentTarget }) => {
      if (currentTarget.getAttribute("aria-disabled") !== "true") this.#open(Math.max(offset(), 0));
    });
  }

  #enable(id, able) {
    byId(id).setAttribute("aria-disabled", String(!able));
  }
}

/** How many places stand before the page that holds a rank. */
const pageOf = (rank) => Math.floor((rank - 1) / PAGE) * PAGE;
