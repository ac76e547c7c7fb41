// Whom a player follows: a list of his own, kept in this browser and told to nobody.

import { keep, recall } from "/web/kit/kept.js";

const MOST = 99; // the app compares a hundred at once, and the player is one of them

/** The ids a player follows; event `change` whenever it is another list. */
export class Friends extends EventTarget {
  #session;
  #ids = new Set();

  constructor(session) {
    super();
    this.#session = session;
    this.#read();
    session.addEventListener("change", () => this.#read());
    addEventListener("storage", ({ key }) => {
      if (key === this.#key) this.#read();
    });
  }

  get ids() {
    return [...this.#ids];
  }

  get isFull() {
    return this.#ids.size >= MOST;
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** Follow a player, or no longer. */
  toggle(id) {
    if (!this.#ids.delete(id) && !this.isFull) this.#ids.add(id);
    keep(this.#key, JSON.stringify(this.ids));
    this.#tell();
  }

  get #key() {
    return `scoreboard.friends.${this.#session.user?.id}`;
  }

  #read() {
    let kept = [];
    try {
      kept = JSON.parse(recall(this.#key)) ?? [];
    } catch {
      keep(this.#key, null);
    }
    this.#ids = new Set(this.#session.user ? kept.slice(0, MOST) : []);
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
