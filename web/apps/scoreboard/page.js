// The scoreboard's page: who is signed in, which board is shown, and what everybody does about it.

import { byId, element, fill } from "/web/kit/elements.js";
import { Acting } from "./acting.js";
import { BoardCard } from "./board.js";
import { listBoards } from "./chooser.js";
import { Door } from "./door.js";
import { Friends } from "./friends.js";
import { Inbox } from "./inbox.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { Standing } from "./standing.js";
import { Terms } from "./terms.js";
import { Watching } from "./watching.js";
import { players, rulesOf, sentence, time } from "./words.js";

const LINKS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
const DEFAULT = { name: "default", title: "Scoreboard", operator: "increment", ascending: false, resets: "none", season: 1 };

const session = new Session();
const friends = new Friends(session);
const door = new Door(session);
const standing = new Standing(session);
const acting = new Acting(session, standing);
const player = new Player(session, friends);
const card = new BoardCard(session, friends, standing, (place) => player.open(place, board));
const inbox = new Inbox(session, (name) => boards.find((one) => one.name === name)?.title ?? name);
const terms = new Terms(() => learnBoards());
const watching = new Watching(session);
let boards = [];
let board = { ...DEFAULT, name: new URLSearchParams(location.search).get("board") ?? DEFAULT.name };
let total = null;
let learning = null;

watching.addEventListener("view", ({ detail: view }) => {
  total = view.totalUsers;
  showBoard();
  card.take(view);
  standing.take(view);
  if (watching.state !== "live") comeBack();
});
watching.addEventListener("link", ({ detail }) => showLink(detail));
watching.addEventListener("notice", ({ detail }) => inbox.hear(detail));
session.addEventListener("change", ({ detail }) => {
  showWho(detail);
  const heading = byId(session.user ? "own-name" : "door-title");
  if (document.hasFocus()) heading.focus();
});
byId("leave").addEventListener("click", () => session.signOut());
byId("own-history").addEventListener("click", () => player.open({ userId: session.user.id, username: session.user.username }, board));
byId("boards").addEventListener("change", ({ target }) => {
  const address = new URL(location.href);
  address.searchParams.set("board", target.value);
  history.replaceState(null, "", address);
  choose(boards.find(({ name }) => name === target.value));
});

showWho(null);
choose(board);
learnBoards();
inbox.learn();

function choose(chosen) {
  board = chosen;
  total = null;
  showBoard();
  card.begin(board);
  if (session.user) standing.begin(board);
  acting.begin(board);
  watching.watch(board.name);
}

/** The server is there, at first or again: whatever could not be learnt or sent before is learnt and sent now. */
function comeBack() {
  learnBoards();
  inbox.learn();
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
  const found = boards.find(({ name }) => name === board.name);
  listBoards(boards, found ?? boards[0]);
  if (!found) return choose(boards[0]);
  board = found;
  showBoard();
  acting.learn(board);
  card.learn(board);
}

function showBoard() {
  byId("board-title").textContent = board.title === DEFAULT.title ? "Leaders" : board.title;
  byId("board-rules").textContent = sentence((total ? `${players(total)} · ` : "") + rulesOf(board));
  terms.show(board, total ?? 0);
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
}
