// The board as it is now, and how well it is known.

import { Live, liveUrl } from "/web/kit/live.js";

const GIVEN_UP = 3;

/**
 * Watches one board at a time.
 *
 * Events: `view`, whose `detail` is the first places; `link`, after which `state` is `connecting` at first, `live`,
 * `reconnecting`, or `offline` where neither socket nor request gets through. While there is no socket, every attempt to
 * open one asks for the places by a request too, so that a network that lets no sockets through still shows the board.
 */
export class Watching extends EventTarget {
  #call;
  #live = null;
  #board = null;
  #missed = 0;

  constructor(call) {
    super();
    this.#call = call;
    this.state = "connecting";
    this.heardAt = null;
    addEventListener("offline", () => {
      if (this.state !== "live") this.#enter("offline");
    });
  }

  /** Watch this board and no other. */
  watch(board) {
    this.#live?.close();
    this.#board = board;
    this.heardAt = null;
    const live = new Live(liveUrl(`ws?board=${encodeURIComponent(board)}`), { ping: { type: "ping" } });
    this.#live = live;
    live.addEventListener("message", ({ detail }) => {
      if (live === this.#live) this.#hear(detail);
    });
    live.addEventListener("state", ({ detail }) => {
      if (live === this.#live && detail === "waiting") this.#fallBack(board);
    });
    live.open();
  }

  /** Try at once to come back. */
  retry() {
    this.#live?.retry();
  }

  #hear({ type, data }) {
    if (type !== "scoreboard_update") return;
    this.#missed = 0;
    this.#show(data);
    this.#enter("live");
  }

  async #fallBack(board) {
    this.#missed += 1;
    this.#enter(!navigator.onLine || this.#missed > GIVEN_UP ? "offline" : "reconnecting");
    const view = await this.#call("GET", `api/scoreboard?board=${encodeURIComponent(board)}`).catch(() => null);
    if (view === null || board !== this.#board || this.state === "live") return;
    this.#missed = 0;
    this.#show(view);
    this.#enter("reconnecting");
  }

  #show(view) {
    this.heardAt = new Date();
    this.dispatchEvent(new CustomEvent("view", { detail: view }));
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("link", { detail: state }));
  }
}
