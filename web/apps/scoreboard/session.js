// Who is signed in, in every tab of this browser, and the requests made in his name.

import { createApi, platformEnvelope, successEnvelope } from "/web/kit/api.js";
import { keep, recall } from "/web/kit/kept.js";

const KEPT = "scoreboard.session";
const DEVICE = "scoreboard.device";

/**
 * The player, or nobody: `user` is `{id, username, email}` or null.
 *
 * Event `change`, whenever somebody came or went; its `detail` is why, for people, or null where he knows. A token lasts
 * a day and may be revoked: the server's 401 ends the session here too.
 */
export class Session extends EventTarget {
  #token = null;
  #api = createApi({ envelope: successEnvelope, token: () => this.#token });
  #platform = createApi({ base: location.origin, envelope: platformEnvelope, token: () => this.#token });

  constructor() {
    super();
    this.user = null;
    this.#read();
    addEventListener("storage", ({ key }) => {
      if (key !== KEPT && key !== null) return;
      this.#read();
      this.#tell(null);
    });
  }

  /** The access token, or null: what the player's socket shows. */
  get token() {
    return this.#token;
  }

  /** What the app answers; throws a `Refusal`. */
  call(method, path, body, headers) {
    return this.#asking(() => this.#api(method, path, body, headers));
  }

  /** The same of the platform, whose paths begin with `/api`. */
  callPlatform(method, path, body) {
    return this.#asking(() => this.#platform(method, path, body));
  }

  /** Find out whether the session still lives; where it does not, it ends here. */
  async check() {
    if (this.#token) await this.call("GET", "api/auth/me").catch(() => null);
  }

  /** Make an account; throws a `Refusal`. */
  register(username, email, password) {
    return this.#enter("api/auth/register", { username, email, password });
  }

  /** Come back; throws a `Refusal`. */
  signIn(email, password) {
    return this.#enter("api/auth/login", { email, password });
  }

  /** Go, and have the token revoked where the server can be reached. */
  async signOut() {
    const revoked = this.#platform("POST", "/api/auth/logout").catch(() => null);
    this.#end(null);
    await revoked;
  }

  async #asking(ask) {
    const asked = this.#token;
    try {
      return await ask();
    } catch (refusal) {
      if (refusal.status === 401 && asked && asked === this.#token) this.#end("Your session has ended. Please sign in again.");
      throw refusal;
    }
  }

  async #enter(path, body) {
    const { token, user } = await this.#api("POST", path, body);
    this.#token = token;
    this.user = user;
    keep(KEPT, JSON.stringify({ token, user }));
    this.#tell(null);
  }

  #end(why) {
    this.#token = null;
    this.user = null;
    keep(KEPT, null);
    this.#tell(why);
  }

  #read() {
    let kept = null;
    try {
      kept = JSON.parse(recall(KEPT));
    } catch {
      keep(KEPT, null);
    }
    this.#token = kept?.token ?? null;
    this.user = kept?.user ?? null;
  }

  #tell(why) {
    this.dispatchEvent(new CustomEvent("change", { detail: why }));
  }
}

/** What this browser calls itself, the same every time: players behind one address are told apart by it. */
export function device() {
  const known = recall(DEVICE);
  if (known) return known;
  const name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  keep(DEVICE, name);
  return name;
}
