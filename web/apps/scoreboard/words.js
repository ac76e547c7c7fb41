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
  if (seconds > 7 * 86_400) return DAY.format(new Date(iso));
  const step = STEPS.find(([, length]) => seconds >= length);
  return step ? `${Math.floor(seconds / step[1])} ${step[0]} ago` : "just now";
}

/** A moment in ISO 8601, in the reader's own time zone. */
export const moment = (iso) => MOMENT.format(new Date(iso));

/** The time of day of a `Date`. */
export const time = (date) => TIME.format(date);

/** What counts on a board, and when it ends or begins anew. */
export function rulesOf(board, now = Date.now()) {
  const counts = { increment: "points add up", best: "the best result counts", set: "the latest result counts" };
  const says = [counts[board.operator]];
  if (board.ascending) says.push("the smallest leads");
  if (board.resets !== "none" && board.nextReset) says.push(`begins anew ${board.resets}, next on ${moment(board.nextReset)}`);
  if (board.startsAt && Date.parse(board.startsAt) > now) says.push(`opens on ${moment(board.startsAt)}`);
  if (board.endsAt) says.push(`${Date.parse(board.endsAt) > now ? "open until" : "closed since"} ${moment(board.endsAt)}`);
  if (board.entryLimit) says.push(`${players(board.entryLimit)} at most`);
  return says.join(" · ");
}

/** Whether points count on a board at this moment. */
export function isOpen(board, now = Date.now()) {
  const begun = !board.startsAt || Date.parse(board.startsAt) <= now;
  return begun && (!board.endsAt || Date.parse(board.endsAt) > now);
}
