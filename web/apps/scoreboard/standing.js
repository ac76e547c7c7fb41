// The reader's own place, and who stands beside him.

import { byId, element, fill } from "/web/kit/elements.js";
import { number, players, points } from "./words.js";

const BESIDE = 2;
const SELDOM = 2500;
const SETTLED = 1500;

/**
 * The reader's score and rank; event `change` whenever the rank is another.
 *
 * Where the first places hold him and his neighbours, they say it all; else it is asked for, once in a few seconds at
 * most however busy the board is, and not while nobody looks.
 */
export class Standing extends EventTarget {
  #session;
  #board = null;
  #asked = 0;
  #timer = 0;
  #askedAt = 0;
  #said = "";
  #told = null;
  #telling = 0;

  constructor(session) {
    super();
    this.#session = session;
    this.known = null;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.#board) this.#askSoon();
    });
  }

  /** Another board, or another reader: nothing is known yet. */
  begin(board) {
    this.#board = board;
    this.#asked += 1;
    this.#know(null);
    this.#told = null;
    this.#said = "";
    fill(byId("own-place"), element("p", { class: "soft" }, "Looking for your place…"));
    byId("near").hidden = true;
    if (this.#session.user) this.#ask();
  }

  /** Learn from the first places. */
  take({ scoreboard, totalUsers }) {
    const user = this.#session.user;
    if (!user) return;
    const at = scoreboard.findIndex((place) => place.userId === user.id);
    const complete = scoreboard.length === totalUsers || (at >= 0 && at + BESIDE < scoreboard.length);
    if (at >= 0 && complete) {
      this.#asked += 1; // an answer that is under way is older
      this.#show(scoreboard.slice(Math.max(at - BESIDE, 0), at + BESIDE + 1), totalUsers);
    } else this.#askSoon();
  }

  /** Learn what an action came to, before the board says it. */
  count(score, rank) {
    this.#know({ score, rank });
    this.#askSoon();
  }

  #askSoon() {
    if (!this.#session.user || document.visibilityState !== "visible") return;
    clearTimeout(this.#timer);
    const wait = Math.max(this.#askedAt + SELDOM * (0.8 + Math.random() * 0.4) - performance.now(), 0);
    this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#askedAt = performance.now();
    this.#asked += 1;
    const asked = this.#asked;
    const board = encodeURIComponent(this.#board.name);
    const { id } = this.#session.user;
    const call = (path) => this.#session.call("GET", path);
    try {
      const { scoreboard, totalUsers } = await call(`api/scoreboard/around-me?board=${board}&above=${BESIDE}&below=${BESIDE}`);
      const alone = scoreboard.length > 0 ? null : await call(`api/scoreboard/user/${id}?board=${board}`);
      if (asked !== this.#asked) return;
      if (alone) this.#showNowhere(alone.score);
      else this.#show(scoreboard, totalUsers);
    } catch (refusal) {
      if (asked === this.#asked && this.known === null && refusal.status !== 401) this.#say("unknown", "Your place cannot be read at the moment.");
    }
  }

  #show(places, total) {
    const at = places.findIndex((place) => place.userId === this.#session.user?.id);
    const mine = places[at];
    if (!mine) return;
    this.#know({ score: mine.score, rank: mine.rank });
    const [ahead, behind] = [places[at - 1], places[at + 1]];
    const lines = [
      element("p", { class: "summit" }, element("strong", {}, element("small", {}, "#"), number(mine.rank)),
        element("span", { class: "soft" }, `of ${players(total)}`)),
      element("p", { class: "sum" }, points(mine.score)),
      element("p", { class: "soft" }, gapOf(mine, ahead, behind)),
    ];
    this.#say(JSON.stringify([mine.rank, mine.score, total, lines[2].textContent]), lines);
    byId("near").hidden = places.length < 2;
    fill(byId("neighbours"), places.map((place) => neighbour(place, mine)));
  }

  #showNowhere(score) {
    this.#know({ score, rank: null });
    byId("near").hidden = true;
    if (score !== 0) this.#say("hidden", `You have ${points(score)}. Your name is hidden from the boards.`);
    else this.#say("new", "You are not on this board yet. Your first action puts you there.");
  }

  /** The rank is read out to who cannot see it, once it has settled: a busy board does not talk without end. */
  #know(known) {
    const before = this.known?.rank ?? null;
    this.known = known;
    const rank = known?.rank ?? null;
    if (rank === before) return;
    this.dispatchEvent(new Event("change"));
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => {
      const stayed = this.#told === null || rank === this.#told;
      const moved = stayed ? "" : `, ${rank < this.#told ? "up" : "down"} from ${number(this.#told)}`;
      byId("rank-told").textContent = rank === null ? "" : `You are in place ${number(rank)}${moved}`;
      this.#told = rank;
    }, SETTLED);
  }

  /** Draw it unless it is what is there. */
  #say(key, lines) {
    if (key === this.#said) return;
    this.#said = key;
    fill(byId("own-place"), typeof lines === "string" ? element("p", { class: "soft" }, lines) : lines);
  }
}

function gapOf(mine, ahead, behind) {
  const between = (other) => points(Math.abs(other.score - mine.score));
  if (ahead && ahead.score === mine.score) return `Level with ${ahead.username}, who was there first`;
  if (ahead) return `${between(ahead)} behind ${ahead.username}`;
  if (behind && behind.score === mine.score) return `Level with ${behind.username}, and there first`;
  return behind ? `You lead, ${between(behind)} ahead of ${behind.username}` : "You lead";
}

function neighbour(place, mine) {
  const gap = place.score - mine.score;
  const told = place === mine ? number(mine.score) : gap > 0 ? `+${number(gap)}` : gap < 0 ? `−${number(-gap)}` : "level";
  return element("li", { class: place === mine ? "mine" : null, "aria-current": place === mine ? "true" : null },
    element("span", { class: "rank" }, number(place.rank)),
    element("span", { class: "name", title: place.username }, place.username),
    element("span", { class: "gap" }, told));
}
