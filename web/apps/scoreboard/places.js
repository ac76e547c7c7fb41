// The board's places: drawn from what the server says, and moved from where they were.

import { element, fill } from "/web/kit/elements.js";
import { Roving } from "/web/kit/roving.js";
import { ago, number } from "./words.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const MOVE = { duration: 550, easing: "cubic-bezier(.2, .8, .2, 1)" };
const REMEMBERED = 4000;

/**
 * A list of places in an `<ol>`; a player keeps his row as long as he is on it, so that it can move.
 *
 * Who is signed in can press a row, and `pressed(place)` is called. The rows are one stop for Tab; arrows lead on.
 */
export class Places {
  #list;
  #pressed;
  #roving;
  #rows = new Map();

  constructor(list, pressed) {
    this.#list = list;
    this.#pressed = pressed;
    this.#roving = new Roving(list, ".pick");
  }

  /**
   * Show these places; `mine` is the reader's id or null, `leadsByMost` whether the largest score leads, `marked` says
   * of an id whether it bears the friends' mark.
   */
  show(places, mine, leadsByMost, marked = () => false) {
    const before = this.#tops();
    const focused = [...this.#list.children].findIndex((row) => row.contains(document.activeElement));
    const held = focused < 0 ? null : document.activeElement;
    const most = leadsByMost ? (places[0]?.score ?? 0) : 0;
    const shown = places.map((place) => this.#row(place, mine, most, marked));
    for (const user of this.#rows.keys()) {
      if (!places.some((place) => place.userId === user)) this.#rows.delete(user);
    }
    this.#list.setAttribute("aria-busy", "false");
    if (shown.length !== this.#list.children.length || shown.some((row, at) => row !== this.#list.children[at])) {
      fill(this.#list, shown);
      if (held) (held.isConnected ? held : shown[Math.min(focused, shown.length - 1)]?.querySelector(".pick"))?.focus({ preventScroll: true });
    }
    this.#roving.settle();
    if (!STILL.matches && before.size > 0) this.#move(before);
  }

  /** Grey rows, until the first places come. */
  wait(count) {
    this.#rows.clear();
    this.#list.setAttribute("aria-busy", "true");
    fill(this.#list, Array.from({ length: count }, () => element("li", { class: "row unknown", "aria-hidden": "true" })));
  }

  /** Say anew how long ago each score was reached. */
  age() {
    for (const row of this.#rows.values()) row.since.textContent = ago(row.place.lastUpdated);
  }

  #row(place, mine, most, marked) {
    const row = this.#rows.get(place.userId) ?? this.#made(place);
    this.#rows.set(place.userId, row);
    const { rank, score } = row.place;
    row.place = place;
    const isMine = place.userId === mine;
    row.element.classList.toggle("mine", isMine);
    if (isMine) row.element.setAttribute("aria-current", "true");
    else row.element.removeAttribute("aria-current");
    row.you.hidden = !isMine;
    row.friend.hidden = isMine || !marked(place.userId);
    row.pick.hidden = mine === null;
    row.pick.setAttribute("aria-label", `More about ${place.username}`);
    row.element.dataset.rank = place.rank;
    row.rank.textContent = number(place.rank);
    row.name.textContent = place.username;
    row.name.title = place.username;
    row.avatar.textContent = Array.from(place.username)[0]?.toUpperCase() ?? "";
    row.score.textContent = number(place.score);
    row.since.textContent = ago(place.lastUpdated);
    row.element.classList.toggle("flat", most <= 0);
    row.element.style.setProperty("--share", most > 0 ? Math.max(place.score, 0) / most : 0);
    if (score !== place.score || rank !== place.rank) this.#mark(row, rank - place.rank, place.score - score);
    return row.element;
  }

  #made(place) {
    const row = {
      place,
      rank: element("span", { class: "rank" }),
      avatar: element("span", { class: "avatar", "aria-hidden": "true" }),
      name: element("span", { class: "name" }),
      you: element("span", { class: "you" }, "You"),
      friend: element("span", { class: "friend" }, "Friend"),
      pick: element("button", { type: "button", class: "pick", "aria-haspopup": "dialog", onclick: () => this.#pressed(row.place) }),
      since: element("span", { class: "since" }),
      change: element("span", { class: "change", "aria-hidden": "true" }),
      score: element("span", { class: "score" }),
      timer: 0,
    };
    row.avatar.style.setProperty("--hue", hueOf(place.userId));
    row.element = element("li", { class: "row", "data-user": place.userId }, row.rank, row.avatar,
      element("span", { class: "player" }, element("span", { class: "names" }, row.name, row.you, row.friend), row.since),
      row.change, element("span", { class: "bar", "aria-hidden": "true" }), element("span", { class: "total" }, row.score, element("span", { class: "only-read" }, " points")), row.pick);
    return row;
  }

  #mark(row, risen, gained) {
    const arrow = risen > 0 ? `▲ ${risen}` : risen < 0 ? `▼ ${-risen}` : "";
    const gain = gained > 0 ? `+${number(gained)}` : gained < 0 ? `−${number(-gained)}` : "";
    row.element.dataset.moved = risen > 0 ? "up" : risen < 0 ? "down" : "";
    fill(row.change, gain && element("span", { class: "gain" }, gain), arrow && element("span", { class: "arrow" }, arrow));
    clearTimeout(row.timer);
    row.timer = setTimeout(() => {
      fill(row.change);
      delete row.element.dataset.moved;
    }, REMEMBERED);
    if (gained && !STILL.matches) row.score.animate([{ transform: "scale(1.25)" }, { transform: "none" }], MOVE);
  }

  #tops() {
    const top = this.#list.getBoundingClientRect().top;
    return new Map([...this.#rows].map(([user, row]) => [user, row.element.getBoundingClientRect().top - top]));
  }

  #move(before) {
    for (const row of this.#rows.values()) row.moving?.cancel();
    const now = this.#tops();
    for (const [user, row] of this.#rows) {
      const from = before.get(user);
      if (from === undefined) row.moving = row.element.animate([{ opacity: 0 }, { opacity: 1 }], MOVE);
      else if (Math.abs(from - now.get(user)) > 1) {
        const start = { transform: `translateY(${from - now.get(user)}px)`, zIndex: from > now.get(user) ? 2 : 1 };
        row.moving = row.element.animate([start, { transform: "none", zIndex: start.zIndex }], MOVE);
      }
    }
  }
}

/** A player's colour, the same everywhere. */
export function hueOf(userId) {
  let sum = 0;
  for (const letter of userId) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
