// Completing an action: asked for, signed by the server, posted back once.

import { byId, element, fill } from "/web/kit/elements.js";
import { device } from "./session.js";
import { isOpen, number, points, titled } from "./words.js";

/**
 * A button for every action type that the server knows.
 *
 * What was signed and got no answer is kept, and posted again under the same `Idempotency-Key` when the connection is
 * back: it counts once, however often it is sent.
 */
export class Acting {
  #session;
  #standing;
  #board = null;
  #types = null;
  #kept = null;
  #open = false;
  #busy = false;
  #waitsUntil = 0;
  #timer = 0;

  constructor(session, standing) {
    this.#session = session;
    this.#standing = standing;
    session.addEventListener("change", () => this.#forget());
  }

  /** Actions count on this board from now on. */
  begin(board) {
    this.#board = board;
    this.#forget();
    this.#draw();
  }

  /** The same board, of which more is known: perhaps it has opened or closed meanwhile. */
  learn(board) {
    const differs = board.operator !== this.#board.operator || isOpen(board) !== this.#open;
    this.#board = board;
    if (differs) this.begin(board);
  }

  /** The server is there again: learn what is missing, send what was kept. */
  async resume() {
    if (this.#types === null) {
      this.#types = await this.#session.call("GET", "api/scoreboard/action-types").catch(() => null);
      this.#draw();
    }
    if (this.#kept) await this.#attempt(() => this.#kept);
  }

  #forget() {
    this.#kept = null;
    this.#say("");
  }

  #draw() {
    if (this.#types === null) fill(byId("acts"), element("li", { class: "row unknown", "aria-hidden": "true" }));
    else if (this.#types.length === 0) fill(byId("acts"), element("li", { class: "soft" }, "This server knows no actions."));
    else fill(byId("acts"), this.#types.map((type) => this.#button(type)));
    this.#enable();
    this.#open = this.#board !== null && isOpen(this.#board);
    if (this.#board && !this.#open) this.#say("This board is closed: actions do not count on it now.");
  }

  #button({ actionType, points: worth }) {
    const press = () => this.#attempt(() => this.#sign(actionType));
    return element("li", {}, element("button", { type: "button", class: "quiet act", "data-action": actionType, onclick: press },
      element("span", {}, titled(actionType)),
      element("strong", {}, this.#board.operator === "increment" ? `+${number(worth)}` : number(worth))));
  }

  async #sign(actionType) {
    const before = this.#standing.known;
    const action = await this.#session.call("POST", "api/scoreboard/generate-action", { actionType, board: this.#board.name });
    return { action, before };
  }

  /** Sign an action, or take the one that was kept, and have it counted. */
  async #attempt(obtain) {
    if (this.#busy || performance.now() < this.#waitsUntil || !isOpen(this.#board)) return;
    const { name } = this.#board;
    this.#setBusy(true);
    this.#say("");
    try {
      const { action, before } = (this.#kept = await obtain());
      const headers = { "idempotency-key": action.actionId, "x-device-id": device() };
      const counted = await this.#session.call("POST", "api/scoreboard/update", action, headers);
      this.#kept = null;
      if (name === this.#board.name) this.#celebrate(action, before, counted);
    } catch (refusal) {
      this.#excuse(refusal);
    } finally {
      this.#setBusy(false);
    }
  }

  #celebrate({ actionType, scoreIncrement }, before, { newScore, rank }) {
    this.#standing.count(newScore, rank);
    const brought = `${titled(actionType)} brought ${points(scoreIncrement)}.`;
    const came = before?.rank && rank ? before.rank - rank : 0;
    const moved = came > 0 ? `, up ${came}` : came < 0 ? `, down ${-came}` : "";
    const stands = newScore === before?.score ? `Your score stays ${number(newScore)}` : `You now have ${points(newScore)}`;
    const outcome = byId("act-outcome");
    fill(outcome, element("strong", {}, brought), ` ${stands}${rank ? `, rank ${number(rank)}${moved}` : ""}.`);
    outcome.classList.remove("fresh");
    void outcome.offsetWidth; // so that the same animation runs again
    outcome.classList.add("fresh");
  }

  #excuse(refusal) {
    const unanswered = refusal.status === 0 || refusal.status === 503;
    if (!unanswered) this.#kept = null;
    if (refusal.status === 429) this.#pause(refusal.retryAfter ?? 60);
    else if (unanswered && this.#kept) this.#complain("No answer came. The action is kept, and sent again when the server is back; it counts once.");
    else if (unanswered) this.#complain("The server cannot be reached. Nothing was counted; try again when you are back online.");
    else if (refusal.status !== 401) this.#complain(`${refusal.message}.`);
  }

  #pause(seconds) {
    this.#waitsUntil = performance.now() + seconds * 1000;
    clearInterval(this.#timer);
    const count = () => {
      const left = Math.ceil((this.#waitsUntil - performance.now()) / 1000);
      if (left > 0) {
        byId("act-outcome").textContent = `Ready again in ${left} s`;
        return;
      }
      clearInterval(this.#timer);
      this.#say("");
      this.#enable();
    };
    this.#complain("That was quick: so many actions at once are not counted.");
    count();
    this.#timer = setInterval(count, 1000);
  }

  #say(text) {
    byId("act-outcome").textContent = text;
    byId("act-outcome").classList.remove("fresh");
    byId("act-problem").textContent = "";
  }

  #complain(text) {
    byId("act-problem").textContent = text;
  }

  #setBusy(busy) {
    this.#busy = busy;
    byId("acts").setAttribute("aria-busy", String(busy));
    this.#enable();
  }

  #enable() {
    const off = this.#busy || performance.now() < this.#waitsUntil || !this.#board || !isOpen(this.#board);
    for (const button of byId("acts").querySelectorAll("button")) button.setAttribute("aria-disabled", String(off));
  }
}
