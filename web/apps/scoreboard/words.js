// Numbers, moments and names as people read them.

const NUMBER = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en", { weekday: "short", day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const TIME = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const STEPS = [["d", 86_400], ["h", 3600], ["min", 60]];

/** 12,345. */
export const number = (value) => NUMBER.format(value);

/** "1 point", "12,345 points". */
export const points = (value) => `${number(value)} ${Math.abs(value) === 1 ? "point" : "points"}`;

/** "1 player", "12 players". */
export const players = (count) => `${number(count)} ${count === 1 ? "player" : "players"}`;

/** With a capital at its beginning. */
export const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** "Win match" of `win_match`. */
export const titled = (actionType) => sentence(actionType.replace(/[_-]+/g, " ").trim());

/** How long ago a moment in ISO 8601 was: "just now", "5 min ago"; the day itself after a week. */
export function ago(iso, now = Date.now()) {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds > 7 * 86_400) return day(iso);
  const step = STEPS.find(([, length]) => seconds >= length);
  return step ? `${Math.floor(seconds / step[1])} ${step[0]} ago` : "just now";
}

/** A moment in ISO 8601, in the reader's own time zone. */
export const moment = (iso) => MOMENT.format(new Date(iso));

/** The day of a moment in ISO 8601: "Sat, Nov 21". */
export const day = (iso) => DAY.format(new Date(iso));

/** The time of day of a `Date`. */
export const time = (date) => TIME.format(date);

/** "2 d 4 h", "3 h 5 min", "40 s": the two largest parts of so many seconds. */
export function span(seconds) {
  const parts = [];
  let left = Math.max(Math.round(seconds), 0);
  for (const [unit, length] of [...STEPS, ["s", 1]]) {
    if (left >= length) parts.push(`${Math.floor(left / length)} ${unit}`);
    left %= length;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** What counts on a board, and when it begins anew. */
export function rulesOf(board) {
  const counts = { increment: "points add up", best: "the best result counts", set: "the latest result counts" };
  const says = [counts[board.operator]];
  if (board.ascending) says.push("the smallest leads");
  if (board.resets !== "none" && board.nextReset) says.push(`begins anew ${board.resets}, next on ${moment(board.nextReset)}`);
  return says.join(" · ");
}

/** Whether points count on a board at this moment. */
export function isOpen(board, now = Date.now()) {
  const begun = !board.startsAt || Date.parse(board.startsAt) <= now;
  return begun && (!board.endsAt || Date.parse(board.endsAt) > now);
}
