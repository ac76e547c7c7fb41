// The terms of a tournament: when it opens and ends, and how many may play.

import { byId, element, fill } from "/web/kit/elements.js";
import { isOpen, moment, number, span } from "./words.js";

const FURTHEST = 2 ** 31 - 1; // what a timer can wait

/** A tournament is a board with a start, an end or a limit of entries. */
export const isTournament = (board) => Boolean(board.startsAt || board.endsAt || board.entryLimit);

/** "coming", "open" or "over". */
export function stageOf(board, now = Date.now()) {
  if (isOpen(board, now)) return "open";
  return board.endsAt && Date.parse(board.endsAt) <= now ? "over" : "coming";
}

/** The line of a tournament's terms; `turned()` is called when a board opens, ends or begins anew. */
export class Terms {
  #turned;
  #board = null;
  #entries = 0;
  #timer = 0;

  constructor(turned) {
    this.#turned = turned;
    setInterval(() => this.#draw(), 1000);
  }

  /** Show a board's terms, and how many play on it. */
  show(board, entries) {
    this.#entries = entries;
    if (board !== this.#board) {
      this.#board = board;
      this.#wake();
    }
    this.#draw();
  }

  #wake() {
    clearTimeout(this.#timer);
    const { startsAt, endsAt, nextReset } = this.#board;
    const waits = [startsAt, endsAt, nextReset].filter(Boolean).map((turn) => Date.parse(turn) - Date.now()).filter((wait) => wait > 0);
    if (waits.length > 0) this.#timer = setTimeout(() => this.#turned(), Math.min(Math.min(...waits) + 500, FURTHEST));
  }

  #draw() {
    const board = this.#board;
    byId("terms").hidden = !board || !isTournament(board);
    if (byId("terms").hidden) return;
    const stage = stageOf(board);
    const { startsAt, endsAt, entryLimit } = board;
    byId("terms").dataset.stage = stage;
    byId("terms-stage").textContent = stageLine(board, stage);
    const ends = startsAt && endsAt ? `${moment(startsAt)} to ${moment(endsAt)}`
      : endsAt ? `until ${moment(endsAt)}` : startsAt ? `since ${moment(startsAt)}` : "";
    byId("terms-when").textContent = stage === "coming" && !endsAt ? `from ${moment(startsAt)}` : ends;
    byId("terms-entries").hidden = !entryLimit;
    if (!entryLimit) return;
    const full = this.#entries >= entryLimit;
    fill(byId("terms-entries"), `${number(this.#entries)} of ${number(entryLimit)} places taken`, full && element("strong", {}, " · full"));
    byId("terms").style.setProperty("--taken", Math.min(this.#entries / entryLimit, 1));
  }
}

function stageLine({ startsAt, endsAt }, stage) {
  const until = (turn) => span((Date.parse(turn) - Date.now()) / 1000);
  if (stage === "coming") return `Opens in ${until(startsAt)}`;
  if (stage === "over") return "Final result";
  return endsAt ? `Open, ${until(endsAt)} left` : "Open";
}
