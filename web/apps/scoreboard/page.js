// The scoreboard's page: who is signed in, which board is shown, and what everybody does about it.

import { byId, element, fill } from "/web/kit/elements.js";
import { Acting } from "./acting.js";
import { Door } from "./door.js";
import { Places } from "./places.js";
import { Session } from "./session.js";
import { Standing } from "./standing.js";
import { Watching } from "./watching.js";
import { number, players, rulesOf, sentence, time } from "./words.js";

const LINKS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
const TOP = 10;
const DEFAULT = { name: "default", title: "Scoreboard", operator: "increment", ascending: false, resets: "none" };

const session = new Session();
const door = new Door(session);
const standing = new Standing(session);
const acting = new Acting(session, standing);
const places = new Places(byId("places"));
const watching = new Watching((method, path) => session.call(method, path));
let boards = [];
let board = { ...DEFAULT, name: new URLSearchParams(location.search).get("board") ?? DEFAULT.name };
let view = null;
let learning = null;

watching.addEventListener("view", ({ detail }) => {
  view = detail;
  showView();
  standing.take(view);
  if (watching.state !== "live") comeBack();
});
watching.addEventListener("link", ({ detail }) => showLink(detail));
session.addEventListener("change", ({ detail }) => {
  showWho(detail);
  const heading = byId(session.user ? "own-name" : "door-title");
  if (document.hasFocus()) heading.focus();
});
byId("leave").addEventListener("click", () => session.signOut());
byId("boards").addEventListener("change", ({ target }) => {
  const address = new URL(location.href);
  address.searchParams.set("board", target.value);
  history.replaceState(null, "", address);
  choose(boards.find(({ name }) => name === target.value));
});
setInterval(() => places.age(), 30_000);

showWho(null);
choose(board);
learnBoards();

function choose(chosen) {
  board = chosen;
  view = null;
  places.wait(TOP);
  byId("board-empty").hidden = true;
  showBoard();
  if (session.user) standing.begin(board);
  acting.begin(board);
  watching.watch(board.name);
}

/** The server is there, at first or again: whatever could not be learnt or sent before is learnt and sent now. */
function comeBack() {
  learnBoards();
  acting.resume();
}

function learnBoards() {
  learning ??= readBoards().finally(() => {
    learning = null;
  });
}

async function readBoards() {
  const listed = await session.call("GET", "api/boards").catch(() => null);
  if (listed === null) return;
  boards = listed;
  fill(byId("boards"), boards.map(({ name, title }) => element("option", { value: name, selected: name === board.name }, title)));
  byId("board-choice").hidden = boards.length < 2;
  const found = boards.find(({ name }) => name === board.name);
  if (!found) return choose(boards[0]);
  const differs = found.operator !== board.operator || found.endsAt !== board.endsAt || found.startsAt !== board.startsAt;
  board = found;
  showBoard();
  if (differs) acting.begin(board);
  if (view) showView();
}

function showBoard() {
  byId("board-title").textContent = board.title === DEFAULT.title ? "Leaders" : board.title;
  showRules();
}

function showRules() {
  const total = view?.totalUsers ?? 0;
  const counted = total > TOP ? `The first ${TOP} of ${number(total)} players · ` : total > 0 ? `${players(total)} · ` : "";
  byId("board-rules").textContent = sentence(counted + rulesOf(board));
}

function showView() {
  places.show(view.scoreboard, session.user?.id ?? null, !board.ascending);
  const isEmpty = view.scoreboard.length === 0;
  byId("board-empty").hidden = !isEmpty;
  if (isEmpty) {
    const invitation = session.user ? "Complete an action, and the first place is yours." : "Join, and the first place is yours.";
    fill(byId("board-empty"), element("strong", {}, "Nobody is here yet"), element("p", { class: "soft" }, invitation));
  }
  showRules();
}

function showLink(state) {
  const told = byId("link");
  if (told.dataset.state !== state) {
    told.dataset.state = state;
    told.firstElementChild.textContent = LINKS[state];
  }
  const lost = state === "reconnecting" || state === "offline";
  const since = watching.heardAt ? `This is the board as of ${time(watching.heardAt)}.` : "The board could not be read yet.";
  byId("board-notice").hidden = !lost;
  if (lost) {
    const again = element("button", { type: "button", class: "quiet small", onclick: () => watching.retry() }, "Try now");
    const what = state === "offline" ? "The server cannot be reached." : "The connection was lost.";
    fill(byId("board-notice"), element("span", {}, `${what} ${since}`), again);
  }
  byId("places").classList.toggle("old", lost);
}

function showWho(why) {
  const { user } = session;
  byId("own").hidden = !user;
  byId("own-name").textContent = user?.username ?? "";
  if (user) {
    door.hide();
    standing.begin(board);
  } else {
    door.show(why);
    byId("near").hidden = true;
  }
  document.body.classList.toggle("signed-in", Boolean(user));
  if (view) {
    showView();
    standing.take(view);
  }
}
