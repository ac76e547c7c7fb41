// The board's card: its views, its places, its pages.

import { byId, element, fill } from "/web/kit/elements.js";
import { Roving } from "/web/kit/roving.js";
import { listSeasons } from "./chooser.js";
import { Pager } from "./pager.js";
import { Places } from "./places.js";
import { PAGE, Views } from "./views.js";
import { points } from "./words.js";

const KINDS = ["live", "friends", "season"];
const EMPTY = {
  live: ["Nobody is here yet", "Join, and the first place is yours.", "Complete an action, and the first place is yours."],
  friends: ["None of your friends is here", "", "Press a player on the live board and add them to your friends: you are compared here."],
  season: ["Nobody played in this season", "", ""],
  beyond: ["Nobody is on this page any more", "", ""],
};

/** What is shown of one board: the first ten as they move, further pages, friends, and seasons that are over. */
export class BoardCard {
  #session;
  #standing;
  #friends;
  #places;
  #views;
  #tabs = new Roving(byId("views"), "button");
  #pager = new Pager((offset) => this.#open(this.#views.kind, { offset, season: this.#views.season }));
  #board = null;
  #seasons = [];
  #shown = null;

  constructor(session, friends, standing, pressed) {
    this.#session = session;
    this.#friends = friends;
    this.#standing = standing;
    this.#places = new Places(byId("places"), pressed);
    this.#views = new Views(session, friends);
    this.#views.addEventListener("waiting", () => this.#wait());
    this.#views.addEventListener("places", ({ detail }) => this.#show(detail));
    this.#views.addEventListener("failed", ({ detail }) => this.#excuse(detail));
    for (const kind of KINDS) {
      byId(`view-${kind}`).addEventListener("click", () => this.#open(kind, { season: this.#seasons[0]?.season }));
    }
    byId("seasons").addEventListener("change", ({ target }) => this.#open("season", { season: Number(target.value) }));
    session.addEventListener("change", () => this.#welcome());
    friends.addEventListener("change", () => this.#redraw());
    standing.addEventListener("change", () => this.#drawPager());
    setInterval(() => this.#places.age(), 30_000);
  }

  /** Another board. */
  begin(board) {
    this.#board = board;
    this.#seasons = [];
    this.#views.begin(board);
    this.#learnSeasons();
  }

  /** The same board, of which more is known; perhaps it has begun anew. */
  learn(board) {
    this.#board = board;
    this.#learnSeasons();
    this.#redraw();
  }

  /** The first places, as they are now. */
  take(first) {
    this.#views.take(first);
  }

  #open(kind, where) {
    this.#views.open(kind, where);
    byId("panel").scrollIntoView({ block: "nearest" });
  }

  #welcome() {
    if (!this.#session.user && this.#views.kind === "friends") this.#views.open("live");
    this.#drawTabs();
    this.#redraw();
  }

  async #learnSeasons() {
    const board = this.#board;
    const listed = await this.#session.call("GET", `api/boards/${encodeURIComponent(board.name)}/seasons`).catch(() => null);
    if (listed === null || board.name !== this.#board.name) return;
    this.#seasons = listed.filter(({ current }) => !current);
    listSeasons(this.#seasons, this.#views.season ?? this.#seasons[0]?.season);
    this.#drawTabs();
  }

  #drawTabs() {
    const { kind } = this.#views;
    const offered = { live: true, friends: Boolean(this.#session.user), season: this.#seasons.length > 0 };
    const some = offered.friends || offered.season;
    byId("views").hidden = !some;
    for (const each of KINDS) {
      byId(`view-${each}`).hidden = !offered[each];
      byId(`view-${each}`).setAttribute("aria-selected", String(each === kind));
    }
    if (some) byId("panel").setAttribute("role", "tabpanel");
    else byId("panel").removeAttribute("role");
    byId("panel").setAttribute("aria-labelledby", some ? `view-${kind}` : "board-title");
    byId("season-choice").hidden = kind !== "season";
    if (kind === "season") byId("seasons").value = String(this.#views.season);
    this.#tabs.settle(byId(`view-${kind}`));
  }

  #wait() {
    this.#shown = null;
    this.#places.wait(PAGE);
    this.#pager.hide();
    byId("board-empty").hidden = true;
    this.#drawTabs();
  }

  #show(places) {
    this.#shown = places;
    this.#redraw();
  }

  #redraw() {
    if (!this.#shown) return;
    const { kind, offset } = this.#views;
    const { scoreboard } = this.#shown;
    this.#places.show(scoreboard, this.#session.user?.id ?? null, !this.#board.ascending, (id) => this.#friends.has(id));
    const winner = kind === "season" && offset === 0 ? scoreboard[0] : null;
    fill(byId("season-winner"), winner && ["Won by ", element("strong", {}, winner.username), ` with ${points(winner.score)}`]);
    const alone = kind === "friends" && this.#friends.ids.length === 0;
    byId("board-empty").hidden = scoreboard.length > 0 && !alone;
    if (!byId("board-empty").hidden) this.#invite(offset > 0 ? "beyond" : kind);
    this.#drawPager();
  }

  #invite(of) {
    const [title, stranger, player] = EMPTY[of];
    const toFirst = () => this.#open(this.#views.kind, { season: this.#views.season });
    const back = of === "beyond" && element("button", { type: "button", class: "quiet", onclick: toFirst }, "To the first page");
    const words = this.#session.user ? player : stranger;
    fill(byId("board-empty"), element("strong", {}, title), element("p", { class: "soft" }, words), back);
  }

  #drawPager() {
    const { kind, offset } = this.#views;
    if (!this.#shown || kind === "friends") return this.#pager.hide();
    this.#pager.show(offset, this.#shown.totalUsers, kind === "live" ? (this.#standing.known?.rank ?? null) : null);
  }

  #excuse(refusal) {
    if (refusal.status === 401) return;
    if (this.#shown) return; // what is shown is a little old, and asked for again with the next change
    fill(byId("places"));
    const again = element("button", { type: "button", class: "quiet", onclick: () => this.#views.retry() }, "Try again");
    const why = refusal.status === 429 ? `Asked too often. Wait ${refusal.retryAfter ?? 60} seconds.` : `${refusal.message}.`;
    fill(byId("board-empty"), element("strong", {}, "These places cannot be shown"), element("p", { class: "soft" }, why), again);
    byId("board-empty").hidden = false;
  }
}
