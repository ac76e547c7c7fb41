// One player on one board: his score, his rank, and what he did for it.

import { byId, element, fill } from "/web/kit/elements.js";
import { Sheet } from "/web/kit/sheet.js";
import { hueOf } from "./places.js";
import { ago, moment, number, titled } from "./words.js";

const AT_ONCE = 20;

/** A sheet about a player; the reader's own is his history. */
export class Player {
  #session;
  #friends;
  #sheet = new Sheet(byId("player"), () => (this.#asked += 1));
  #asked = 0;
  #shown = null;
  #board = null;
  #last = null;

  constructor(session, friends) {
    this.#session = session;
    this.#friends = friends;
    byId("player-friend").addEventListener("click", () => friends.toggle(this.#shown.userId));
    byId("player-more").addEventListener("click", () => this.#more());
    friends.addEventListener("change", () => this.#drawFriend());
    session.addEventListener("change", () => this.#sheet.close());
  }

  /** Open it; `player` has `userId` and `username`. */
  async open(player, board) {
    this.#shown = player;
    this.#board = board;
    this.#last = null;
    this.#asked += 1;
    const asked = this.#asked;
    byId("player-name").textContent = player.username;
    byId("player-face").textContent = Array.from(player.username)[0]?.toUpperCase() ?? "";
    byId("player-face").style.setProperty("--hue", hueOf(player.userId));
    byId("player-board").textContent = board.title;
    for (const id of ["player-rank", "player-score"]) byId(id).textContent = "…";
    fill(byId("player-acts"));
    this.#say("");
    this.#drawFriend();
    this.#sheet.open();
    this.#more();
    try {
      const { rank, score, totalUsers } = await this.#session.call("GET", `api/scoreboard/user/${player.userId}?board=${this.#boardName}`);
      if (asked !== this.#asked) return;
      fill(byId("player-rank"), rank === null ? "none" : `#${number(rank)}`, rank !== null && element("small", {}, ` of ${number(totalUsers)}`));
      byId("player-score").textContent = number(score);
    } catch {
      if (asked === this.#asked) for (const id of ["player-rank", "player-score"]) byId(id).textContent = "unknown";
    }
  }

  /** Close it. */
  close() {
    this.#sheet.close();
  }

  get #boardName() {
    return encodeURIComponent(this.#board.name);
  }

  async #more() {
    const asked = this.#asked;
    const before = this.#last ? `&before=${encodeURIComponent(this.#last)}` : "";
    byId("player-more").hidden = true;
    try {
      const query = `board=${this.#boardName}&limit=${AT_ONCE}${before}`;
      const { actions } = await this.#session.call("GET", `api/scoreboard/user/${this.#shown.userId}/history?${query}`);
      if (asked !== this.#asked) return;
      if (!this.#last && actions.length === 0) this.#say("Nothing has counted on this board yet.");
      this.#last = actions.at(-1)?.actionId ?? this.#last;
      byId("player-acts").append(...actions.map((action) => act(action, this.#board)));
      byId("player-more").textContent = "Show older";
      byId("player-more").hidden = actions.length < AT_ONCE;
    } catch (refusal) {
      if (asked !== this.#asked || refusal.status === 401) return;
      this.#say("What was done cannot be read at the moment.");
      byId("player-more").textContent = "Try again";
      byId("player-more").hidden = false;
    }
  }

  #drawFriend() {
    const button = byId("player-friend");
    if (!this.#shown) return;
    const is = this.#friends.has(this.#shown.userId);
    button.hidden = this.#shown.userId === this.#session.user?.id || (!is && this.#friends.isFull);
    button.setAttribute("aria-pressed", String(is));
    button.textContent = is ? "Among your friends" : "Add to friends";
  }

  #say(text) {
    byId("player-notice").textContent = text;
  }
}

function act({ actionType, actionId, points, score, season, at }, board) {
  const name = actionType ? titled(actionType) : actionId.startsWith("adjusted-") ? "Set right by an admin" : "Points";
  const brought = board.operator === "increment" ? `${points > 0 ? "+" : points < 0 ? "−" : ""}${number(Math.abs(points))}` : number(points);
  const past = season === board.season ? "" : ` · season ${season}`;
  return element("li", {},
    element("span", { class: "deed" }, name, element("small", { title: moment(at) }, `${ago(at)}${past}`)),
    element("strong", { class: points < 0 ? "loss" : "gain" }, brought),
    element("span", { class: "after" }, element("span", { class: "only-read" }, "score "), number(score)));
}
