// Which places of a board are looked at: the first ten as they move, a page further down, friends, or a season that is over.

export const PAGE = 10;
const SELDOM = 2500;

/**
 * What is looked at: `kind` is `live`, `friends` or `season`, `offset` how many places stand before the first one shown.
 *
 * The first ten come from whoever watches the board; everything else is asked for, and again when the board has changed,
 * once in a few seconds at most and not while nobody looks. Events: `waiting`, where other places than before are on
 * their way; `places`, whose `detail` is `{scoreboard, totalUsers}`; `failed`, whose `detail` is the refusal.
 */
export class Views extends EventTarget {
  #session;
  #friends;
  #board = null;
  #first = null;
  #asked = 0;
  #askedAt = 0;
  #timer = 0;

  constructor(session, friends) {
    super();
    this.#session = session;
    this.#friends = friends;
    this.#look("live", 0, null);
    friends.addEventListener("change", () => {
      if (this.kind === "friends") this.#ask();
    });
    document.addEventListener("visibilitychange", () => this.#askSoon());
  }

  /** Another board, of which nothing is known yet. */
  begin(board) {
    this.#board = board;
    this.#first = null;
    this.open("live");
  }

  /** Look at something else. */
  open(kind, { offset = 0, season = null } = {}) {
    this.#look(kind, offset, season);
    this.#tell("waiting");
    if (this.isFirst && this.#first) this.#tell("places", this.#first);
    else if (!this.isFirst) this.#ask();
  }

  /** The first places, as they are now. */
  take(first) {
    this.#first = first;
    if (this.isFirst) this.#tell("places", first);
    else this.#askSoon();
  }

  /** Ask again for what could not be read. */
  retry() {
    if (!this.isFirst) this.#ask();
  }

  /** Whether these are the first places of the season that runs. */
  get isFirst() {
    return this.kind === "live" && this.offset === 0;
  }

  #look(kind, offset, season) {
    clearTimeout(this.#timer);
    this.#asked += 1; // whatever is under way is an answer to something else
    Object.assign(this, { kind, offset, season });
  }

  #askSoon() {
    if (this.isFirst || this.kind === "season" || document.visibilityState !== "visible") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), Math.max(this.#askedAt + SELDOM * (0.8 + Math.random() * 0.4) - performance.now(), 0));
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#askedAt = performance.now();
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const places = await this.#session.call("GET", this.#path());
      if (asked === this.#asked) this.#tell("places", places);
    } catch (refusal) {
      if (asked === this.#asked) this.#tell("failed", refusal);
    }
  }

  #path() {
    const board = encodeURIComponent(this.#board.name);
    const slice = `offset=${this.offset}&limit=${PAGE}`;
    if (this.kind === "friends") return `api/scoreboard/friends?board=${board}&users=${this.#friends.ids.join(",")}`;
    if (this.kind === "season") return `api/boards/${board}/seasons/${this.season}?${slice}`;
    return `api/scoreboard?board=${board}&${slice}`;
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
