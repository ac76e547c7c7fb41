// Requests to an app's own endpoints. Paths are relative to the page, so that it works below /apps/<name>/ and at /.

/** What the server refused: `code` for programs, `message` for people, `retryAfter` in seconds where it says so. */
export class Refusal extends Error {
  constructor(code, message, status, retryAfter = null) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Results as they are; refusals as `{error, message}`: the platform's envelope. */
export const platformEnvelope = {
  open: (answer) => answer,
  refusal: (answer) => ({ code: answer?.error, message: answer?.message }),
};

/** `{success: true, data}` and `{success: false, error: {code, message}}`. */
export const successEnvelope = {
  open: (answer) => answer?.data,
  refusal: (answer) => ({ code: answer?.error?.code, message: answer?.error?.message }),
};

/**
 * A function `call(method, path, body, headers)` that returns what the envelope holds, or throws a `Refusal`.
 *
 * `token()` gives the access token to send, or null. Where no answer comes, the refusal's code is `OFFLINE`, its status 0.
 */
export function createApi({ base = document.baseURI, envelope = platformEnvelope, token = () => null } = {}) {
  return async function call(method, path, body, more = {}) {
    const headers = { accept: "application/json", ...more };
    const shown = token();
    if (shown) headers.authorization = `Bearer ${shown}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await ask(new URL(path, base), { method, headers, body: JSON.stringify(body), cache: "no-store" });
    const told = await readJson(answer);
    if (answer.ok) return envelope.open(told);
    const { code = "UNREADABLE", message = `The server answered ${answer.status}` } = envelope.refusal(told);
    throw new Refusal(code, message, answer.status, Number(answer.headers.get("retry-after")) || null);
  };
}

async function ask(url, request) {
  try {
    return await fetch(url, request);
  } catch {
    throw new Refusal("OFFLINE", "The server cannot be reached", 0);
  }
}

async function readJson(answer) {
  const text = await answer.text();
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
