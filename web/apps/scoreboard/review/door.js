// The admin's way in: a key, or his name and password.

import { byId } from "/web/kit/elements.js";

const HINTS = { key: "headwater keys prints it", password: "" };

/** The form for who is not signed in. */
export class Door {
  #reviewer;
  #way = "key";
  #busy = false;

  constructor(reviewer) {
    this.#reviewer = reviewer;
    for (const way of Object.keys(HINTS)) byId(`way-${way}`).addEventListener("click", () => this.#choose(way));
    byId("door-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#choose(this.#way);
  }

  /** Open it; `why` says to people what sent them here. */
  show(why) {
    byId("door").hidden = false;
    byId("door-notice").textContent = why ?? "";
    byId("door-notice").hidden = !why;
  }

  /** Close it, and forget what was typed. */
  hide() {
    byId("door").hidden = true;
    byId("door-form").reset();
    this.#complain("");
  }

  #choose(way) {
    this.#way = way;
    for (const each of Object.keys(HINTS)) byId(`way-${each}`).setAttribute("aria-pressed", String(each === way));
    byId("field-name").hidden = way === "key";
    byId("secret-label").textContent = way === "key" ? "Admin key" : "Password";
    byId("secret").autocomplete = way === "key" ? "off" : "current-password";
    byId("secret-hint").textContent = HINTS[way];
    this.#complain("");
  }

  async #submit() {
    if (this.#busy) return;
    const [name, secret] = [byId("name").value.trim(), byId("secret").value.trim()];
    if (!secret || (this.#way === "password" && !name)) return this.#complain("Please fill this in");
    this.#busy = true;
    byId("enter").setAttribute("aria-disabled", "true");
    try {
      await (this.#way === "key" ? this.#reviewer.showKey(secret) : this.#reviewer.signIn(name, secret));
    } catch (refusal) {
      this.#complain(sentenceFor(refusal, this.#way));
    } finally {
      this.#busy = false;
      byId("enter").removeAttribute("aria-disabled");
    }
  }

  #complain(problem) {
    byId("door-problem").textContent = problem;
    if (problem) byId("secret").setAttribute("aria-invalid", "true");
    else byId("secret").removeAttribute("aria-invalid");
  }
}

function sentenceFor(refusal, way) {
  if (refusal.status === 429) return `Too many attempts. Try again in ${refusal.retryAfter ?? 60} seconds.`;
  if (![400, 401, 403].includes(refusal.status)) return refusal.message;
  return way === "key" ? "This is not the admin key." : "This name and password do not belong together.";
}
