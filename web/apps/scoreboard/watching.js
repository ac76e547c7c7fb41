// The board as it is now, and how well it is known.

import { Live, liveUrl } from "/web/kit/live.js";

const GIVEN_UP = 3;

/**
 * Watches one board at a time.
 *
 * Events: `view`, whose `detail` is the first places; `link`, after which `state` is `connecting` at first, `live`,
 * `reconnecting`, or `offline` where neither socket nor request gets through. While there is no socket, every attempt to
 * open one asks for the places by a request too, so that a network that lets no sockets through still shows the board.
 * The socket shows the session's token, where there is one: so `notice` is told, whose `detail` is what the player is
 * told in his inbox, and a session that ended elsewhere is noticed here.
 */
export class Watching extends EventTarget {
  #session;
  #live = null;
  #board = null;
  #missed = 0;

  constructor(session) {
    super();
    this.#session = session;
    this.state = "connecting";
    this.heardAt = null;
    session.addEventListener("change", () => this.#open());
    addEventListener("offline", () => {
      if (this.state !== "live") this.#enter("offline");
    });
  }

  /** Watch this board and no other. */
  watch(board) {
    this.#board = board;
    this.heardAt = null;
    this.#open();
  }

  /** Try at once to come back. */
  retry() {
    this.#live?.retry();
  }

  #open() {
    this.#live?.close();
    const board = this.#board;
    const live = new Live(liveUrl(`ws?board=${encodeURIComponent(board)}`), { ping: { type: "ping" }, token: () => this.#session.token });
    this.#live = live;
    live.addEventListener("message", ({ detail }) => {
      if (live === this.#live) this.#hear(detail);
    });
    live.addEventListener("state", ({ detail }) => {
      if (live === this.#live && detail === "waiting") this.#fallBack(board);
    });
    live.open();
  }

  #hear(message) {
    const { type, data } = message;
    if (type === "notifications:added") this.dispatchEvent(new CustomEvent("notice", { detail: message }));
    if (type !== "scoreboard_update") return;
    this.#missed = 0;
    this.#show(data);
    this.#enter("live");
  }

  async #fallBack(board) {
    this.#missed += 1;
    this.#enter(!navigator.onLine || this.#missed > GIVEN_UP ? "offline" : "reconnecting");
    const [view] = await Promise.all([
      this.#session.call("GET", `api/scoreboard?board=${encodeURIComponent(board)}`).catch(() => null),
      this.#session.check(),
    ]);
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
