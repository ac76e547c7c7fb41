// What the player is told in his inbox: at once in a line at the foot of the page, and later behind the bell.

import { byId, element, fill } from "/web/kit/elements.js";
import { Sheet } from "/web/kit/sheet.js";
import { ago, moment } from "./words.js";

const OURS = "scoreboard.";
const AT_ONCE = 50;
const SHOWN_FOR = 8000;
const NOTHING = "Nothing yet. You will hear when you take the lead or lose it, and when one of your actions is looked at.";

/** The bell, its sheet, and the line; `titleOf(board)` says what a board is called. */
export class Inbox {
  #session;
  #titleOf;
  #sheet = new Sheet(byId("inbox"));
  #asked = 0;
  #timer = 0;

  constructor(session, titleOf) {
    this.#session = session;
    this.#titleOf = titleOf;
    byId("bell").addEventListener("click", () => this.#open());
    byId("toast-close").addEventListener("click", () => this.#hush());
    session.addEventListener("change", () => {
      this.#sheet.close();
      this.#hush();
      this.learn();
    });
  }

  /** Learn how many notices are unread. */
  async learn() {
    this.#asked += 1;
    const asked = this.#asked;
    if (!this.#session.user) return this.#count(0);
    const told = await this.#read("unread=true&limit=100").catch(() => null);
    if (told && asked === this.#asked) this.#count(told.ours.length);
  }

  /** A notice has just come. */
  hear({ kind, title, body, details }) {
    if (!kind.startsWith(OURS)) return;
    if (this.#sheet.isOpen) return this.#open();
    byId("toast").classList.add("shown"); // first, because what is hidden is not read out
    byId("toast").dataset.kind = kind.slice(OURS.length);
    fill(byId("toast-text"), element("strong", {}, title), ` ${[this.#about(details), body].filter(Boolean).join(": ")}`);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#hush(), SHOWN_FOR);
    this.learn();
  }

  async #open() {
    this.#sheet.open();
    this.#hush();
    try {
      const { ours, unread } = await this.#read(`limit=${AT_ONCE}`);
      fill(byId("notices"), ours.map((notice) => this.#line(notice)));
      byId("inbox-notice").textContent = ours.length > 0 ? "" : NOTHING;
      await this.#markRead(ours, unread);
    } catch (refusal) {
      if (refusal.status !== 401) byId("inbox-notice").textContent = "Your notices cannot be read at the moment. Close this and try again.";
    }
  }

  /** Other apps may use the same inbox: what is theirs stays unread. */
  async #markRead(ours, unread) {
    const fresh = ours.filter(({ readAt }) => readAt === null);
    if (fresh.length === 0) return;
    if (fresh.length === unread) await this.#session.callPlatform("POST", "/api/notifications/read");
    else await Promise.all(fresh.map(({ id }) => this.#session.callPlatform("POST", `/api/notifications/${id}/read`)));
    await this.learn();
  }

  async #read(query) {
    const { notices, unread } = await this.#session.callPlatform("GET", `/api/notifications?${query}`);
    return { ours: notices.filter(({ kind }) => kind.startsWith(OURS)), unread };
  }

  #line({ kind, title, body, details, createdAt, readAt }) {
    return element("li", { class: readAt === null ? "fresh" : null, "data-kind": kind.slice(OURS.length) },
      element("strong", {}, readAt === null && element("span", { class: "only-read" }, "New: "), title),
      body && element("p", {}, body),
      element("small", { title: moment(createdAt) }, [this.#about(details), ago(createdAt)].filter(Boolean).join(" · ")));
  }

  #about({ board }) {
    return board ? this.#titleOf(board) : "";
  }

  #count(unread) {
    byId("bell").hidden = !this.#session.user;
    byId("bell").setAttribute("aria-label", unread > 0 ? `Notices, ${unread} unread` : "Notices");
    byId("bell-count").textContent = unread > 9 ? "9+" : unread || "";
    byId("bell-count").hidden = unread === 0;
  }

  #hush() {
    clearTimeout(this.#timer);
    byId("toast").classList.remove("shown");
  }
}
