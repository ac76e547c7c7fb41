import { createApi } from "/web/kit/api.js";
import { byId, element, fill } from "/web/kit/elements.js";

let accessToken = null;
const app = createApi({ token: () => accessToken });
const platform = createApi({ base: location.origin });

async function signIn({ email, password }) {
  ({ accessToken } = await platform("POST", "/api/auth/sessions", { email, password }));
  byId("sign-in").hidden = true;
  byId("own").hidden = false;
  await showNotes();
}

async function addNote({ text }) {
  await app("POST", "notes", { text });
  byId("add").reset();
  await showNotes();
}

async function showNotes() {
  const notes = await app("GET", "notes?limit=50");
  fill(byId("notes"), notes.map(({ text, words }) => element("li", {}, text, element("small", {}, told(words)))));
}

function told(words) {
  return words === null ? "its words are being counted" : `words: ${words}`;
}

/** Do what a form asks for, once at a time; a refusal is told below. */
function carryOut(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await work(Object.fromEntries(new FormData(form)));
      fill(byId("refusal"));
    } catch (refusal) {
      fill(byId("refusal"), refusal.message);
    } finally {
      button.disabled = false;
    }
  });
}

carryOut(byId("sign-in"), signIn);
carryOut(byId("add"), addNote);
