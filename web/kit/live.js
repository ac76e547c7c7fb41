// A WebSocket of JSON objects that comes back by itself.

const SHORTEST = 500;
const LONGEST = 30_000;
const STEADY = 10_000;
const QUIET = 20_000;
const ANSWERED_WITHIN = 8_000;

/** The address of a WebSocket beside the page: `liveUrl("ws")`. */
export function liveUrl(path, base = document.baseURI) {
  const url = new URL(path, base);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}

/**
 * Keeps a WebSocket open until `close()`.
 *
 * Events: `state`, after which `state` is `connecting`, `open`, `waiting` or `closed`; and `message`, whose `detail` is
 * the object that came. After a break it waits a random time, at most half a second at first and twice as much after
 * each failure, up to 30 s: thousands of pages do not come back at once. When the network or the page comes back, it
 * tries at once. Whoever missed something while it was away asks for it when the state is `open` again. `token()` gives
 * the access token to show, or null; it is asked at every attempt. With a `ping`, an object that the server answers, a
 * connection that died without a word is noticed too: it is sent after 20 s of silence and whenever the network changes,
 * and what is not answered within 8 s is given up.
 */
export class Live extends EventTarget {
  #url;
  #token;
  #ping;
  #socket = null;
  #timer = 0;
  #silence = 0;
  #failures = 0;
  #openedAt = 0;
  #wake = () => {
    if (document.visibilityState === "visible") this.retry();
  };

  constructor(url, { token = () => null, ping = null } = {}) {
    super();
    this.#url = url;
    this.#token = token;
    this.#ping = ping;
    this.state = "closed";
  }

  /** Begin; nothing happens if it has begun. */
  open() {
    if (this.state !== "closed") return;
    addEventListener("online", this.#wake);
    addEventListener("offline", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#failures = 0;
    this.#open();
  }

  /** End it, for good or until `open()`. */
  close() {
    removeEventListener("online", this.#wake);
    removeEventListener("offline", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#drop();
    this.#enter("closed");
  }

  /** Try at once where it waits; where it is open, find out whether it still is. */
  retry() {
    if (this.state === "waiting") this.#open();
    else if (this.state === "open") this.#ask();
  }

  /** Send an object; false, and nothing is sent, unless it is open. */
  send(message) {
    if (this.state !== "open") return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #open() {
    clearTimeout(this.#timer);
    const shown = this.#token();
    const socket = new WebSocket(this.#url, shown ? [`bearer.${shown}`] : []);
    this.#socket = socket;
    this.#enter("connecting");
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#openedAt = performance.now();
      this.#listen();
      this.#enter("open");
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#tell(data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#wait();
    };
  }

  #tell(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    this.#listen();
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #wait() {
    if (this.state === "open" && performance.now() - this.#openedAt > STEADY) this.#failures = 0;
    const longest = Math.min(LONGEST, SHORTEST * 2 ** this.#failures);
    this.#failures += 1;
    this.#drop();
    this.#timer = setTimeout(() => this.#open(), Math.random() * longest);
    this.#enter("waiting");
  }

  #drop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #listen() {
    clearTimeout(this.#silence);
    if (this.#ping) this.#silence = setTimeout(() => this.#ask(), QUIET);
  }

  #ask() {
    if (!this.#ping) return;
    clearTimeout(this.#silence);
    this.send(this.#ping);
    this.#silence = setTimeout(() => this.#wait(), ANSWERED_WITHIN);
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
