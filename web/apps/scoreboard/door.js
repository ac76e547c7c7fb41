// Coming in: a new account, or an old one.

import { byId } from "/web/kit/elements.js";

const WIDE = matchMedia("(min-width: 60rem)");
const FIELDS = ["username", "email", "password"];
const OF_CODE = { INVALID_USERNAME: "username", INVALID_EMAIL: "email", WEAK_PASSWORD: "password" };
const WAYS = { register: "Create account", login: "Sign in" };

/** The form for who is not signed in; on a small screen it opens when a way is chosen. */
export class Door {
  #session;
  #way = null;
  #busy = false;

  constructor(session) {
    this.#session = session;
    for (const way of Object.keys(WAYS)) {
      byId(`way-${way}`).addEventListener("click", () => this.#choose(way, true));
    }
    byId("door-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("peek").addEventListener("click", () => this.#peek(byId("password").type === "password"));
    for (const name of FIELDS) byId(name).addEventListener("input", () => complain(name, ""));
  }

  /** Open it; `why` says to people what sent them here. */
  show(why) {
    byId("door").hidden = false;
    byId("door-notice").textContent = why ?? "";
    byId("door-notice").hidden = !why;
    if (why) this.#choose("login", false);
    else if (WIDE.matches && this.#way === null) this.#choose("register", false);
  }

  /** Close it, and forget what was typed. */
  hide() {
    byId("door").hidden = true;
    byId("door-form").reset();
    this.#peek(false);
    this.#complainAbout({});
  }

  #choose(way, byHand) {
    this.#way = way;
    for (const each of Object.keys(WAYS)) byId(`way-${each}`).setAttribute("aria-pressed", String(each === way));
    byId("door-form").hidden = false;
    byId("door").classList.add("open");
    byId("field-username").hidden = way === "login";
    byId("password").autocomplete = way === "login" ? "current-password" : "new-password";
    byId("enter").textContent = WAYS[way];
    this.#complainAbout({});
    if (byHand) byId(way === "login" ? "email" : "username").focus();
  }

  async #submit() {
    if (this.#busy) return;
    const [username, email, password] = FIELDS.map((name) => byId(name).value);
    const problems = this.#look();
    this.#complainAbout(problems);
    if (Object.keys(problems).length > 0) return;
    this.#setBusy(true);
    try {
      if (this.#way === "register") await this.#session.register(username.trim(), email.trim(), password);
      else await this.#session.signIn(email.trim(), password);
    } catch (refusal) {
      this.#complainAbout(problemsOf(refusal));
    } finally {
      this.#setBusy(false);
    }
  }

  #look() {
    const problems = {};
    for (const name of FIELDS) {
      const field = byId(name);
      if (name === "username" && this.#way === "login") continue;
      if (!field.value.trim()) problems[name] = "Please fill this in";
      else if (field.validity.typeMismatch) problems[name] = "This is not an email address";
      else if (name === "username" && field.value.trim().length < 3) problems[name] = "At least 3 characters";
    }
    return problems;
  }

  #complainAbout(problems) {
    for (const name of FIELDS) complain(name, problems[name] ?? "");
    byId("form-problem").textContent = problems.form ?? "";
    const first = FIELDS.find((name) => problems[name]);
    if (first) byId(first).focus();
  }

  #setBusy(busy) {
    this.#busy = busy;
    byId("enter").setAttribute("aria-disabled", String(busy));
    byId("enter").textContent = busy ? "One moment…" : WAYS[this.#way];
  }

  #peek(open) {
    byId("password").type = open ? "text" : "password";
    byId("peek").textContent = open ? "Hide" : "Show";
    byId("peek").setAttribute("aria-pressed", String(open));
  }
}

/** Which field a refusal is about; its sentence may begin with the field's name. */
function problemsOf(refusal) {
  const [named, ...rest] = refusal.message.split(": ");
  const field = OF_CODE[refusal.code] ?? (FIELDS.includes(named) ? named : null);
  if (refusal.status === 429) return { form: `Too many attempts. Try again in ${refusal.retryAfter ?? 60} seconds.` };
  if (refusal.code === "LOGIN_FAILED") return { form: "This email and password do not belong together." };
  if (refusal.code === "INVALID_USERNAME") return { username: "Only letters, digits, dots, dashes and underscores; 3 to 50" };
  if (field) return { [field]: FIELDS.includes(named) ? rest.join(": ") : refusal.message };
  return { form: refusal.message };
}

function complain(name, problem) {
  byId(`${name}-problem`).textContent = problem;
  if (problem) byId(name).setAttribute("aria-invalid", "true");
  else byId(name).removeAttribute("aria-invalid");
}
