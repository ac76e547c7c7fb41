// Who reviews, in this tab alone, and the requests made in his name.

import { createApi, platformEnvelope, successEnvelope } from "/web/kit/api.js";
import { keep, recall } from "/web/kit/kept.js";

const KEPT = "scoreboard.reviewer";
const APP = new URL("../", document.baseURI);
const TAB = "sessionStorage"; // an admin's key does not outlive the tab

/** An admin, or nobody; event `change` whenever that is another, its `detail` is why, for people, or null. */
export class Reviewer extends EventTarget {
  #token = recall(KEPT, TAB);
  #app = createApi({ base: APP, envelope: successEnvelope, token: () => this.#token });
  #platform = createApi({ base: location.origin, envelope: platformEnvelope, token: () => this.#token });

  /** The key or token, or null: what the socket shows. */
  get token() {
    return this.#token;
  }

  /** What the app answers; throws a `Refusal`. A 401 or 403 ends it here. */
  async call(method, path, body) {
    try {
      return await this.#app(method, path, body);
    } catch (refusal) {
      if (this.#token && [401, 403].includes(refusal.status)) this.#enter(null, "Your session has ended. Please sign in again.");
      throw refusal;
    }
  }

  /** Sign in with a key; throws a `Refusal` where it is no admin's. */
  async showKey(key) {
    const ask = createApi({ base: APP, envelope: successEnvelope, token: () => key });
    await ask("GET", "api/scoreboard/incidents?limit=1");
    this.#enter(key);
  }

  /** Sign in with the admin's name and password; throws a `Refusal`. */
  async signIn(username, password) {
    const { accessToken } = await this.#platform("POST", "/api/auth/admin/sessions", { username, password });
    this.#enter(accessToken);
  }

  /** Forget who it was. */
  leave() {
    this.#enter(null);
  }

  #enter(token, why = null) {
    this.#token = token;
    keep(KEPT, token, TAB);
    this.dispatchEvent(new CustomEvent("change", { detail: why }));
  }
}
