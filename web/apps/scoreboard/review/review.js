// The admins' page: what looked wrong waits here until somebody has decided.

import { byId, element, fill } from "/web/kit/elements.js";
import { Live, liveUrl } from "/web/kit/live.js";
import { Roving } from "/web/kit/roving.js";
import { Sheet } from "/web/kit/sheet.js";
import { Door } from "./door.js";
import { incidentLine, meaningOf } from "./incident.js";
import { Reviewer } from "./reviewer.js";

const AT_ONCE = 20;
const NOTHING = {
  open: ["Nothing waits", "What looks wrong comes here at once."],
  released: ["Nothing was released yet", ""],
  confirmed: ["Nothing was upheld yet", ""],
};
const VERBS = { decide, hide, read, titleOf: (board) => titles.get(board) ?? board };

const reviewer = new Reviewer();
const door = new Door(reviewer);
const sheet = new Sheet(byId("decision"));
const tabs = new Roving(byId("states"), "button");
let state = "open";
let next = null;
let asked = 0;
let deciding = null;
let live = null;
let titles = new Map();

reviewer.addEventListener("change", ({ detail }) => {
  welcome(detail);
  byId(reviewer.token ? "incidents-title" : "door-title").focus();
});
byId("leave").addEventListener("click", () => reviewer.leave());
byId("more").addEventListener("click", () => list(next));
byId("decision-form").addEventListener("submit", (event) => {
  event.preventDefault();
  conclude();
});
for (const tab of byId("states").children) {
  tab.addEventListener("click", () => {
    state = tab.dataset.state;
    list();
  });
}
welcome(null);

function welcome(why) {
  const known = Boolean(reviewer.token);
  byId("incidents").hidden = !known;
  byId("leave").hidden = !known;
  sheet.close();
  live?.close();
  if (!known) {
    asked += 1;
    fill(byId("list"));
    return door.show(why);
  }
  door.hide();
  learnTitles();
  listen();
}

async function learnTitles() {
  const boards = await reviewer.call("GET", "api/boards").catch(() => []);
  titles = new Map(boards.map(({ name, title }) => [name, title]));
  if (reviewer.token) list();
}

/** Whoever is an admin is told of new incidents on the app's own socket; after a break everything is asked for again. */
function listen() {
  live = new Live(liveUrl("../ws"), { ping: { type: "ping" }, token: () => reviewer.token });
  live.addEventListener("message", ({ detail }) => {
    if (["connection_status", "scoreboard:incident_opened", "scoreboard:incident_reviewed"].includes(detail.type)) list();
  });
  live.addEventListener("state", ({ detail }) => {
    if (detail === "waiting") list();
  });
  live.open();
}

async function list(before = null) {
  asked += 1;
  const mine = asked;
  for (const tab of byId("states").children) tab.setAttribute("aria-selected", String(tab.dataset.state === state));
  tabs.settle(byId("states").querySelector(`[data-state=${state}]`));
  byId("list").setAttribute("aria-busy", "true");
  try {
    const page = await reviewer.call("GET", `api/scoreboard/incidents?state=${state}&limit=${AT_ONCE}${before ? `&before=${before}` : ""}`);
    if (mine !== asked) return;
    if (before) byId("list").append(...page.incidents.map((incident) => incidentLine(incident, VERBS)));
    else redraw(page.incidents);
    next = page.next;
    byId("more").hidden = next === null;
    invite(byId("list").children.length === 0 ? NOTHING[state] : null);
  } catch (refusal) {
    if (mine === asked && reviewer.token) invite(["Incidents cannot be read at the moment", `${refusal.message}.`], () => list());
  } finally {
    if (mine === asked) byId("list").setAttribute("aria-busy", "false");
  }
}

/** What is open stays open, and who has the focus keeps it. */
function redraw(incidents) {
  const opened = [...byId("list").querySelectorAll("details[open]")].map((details) => details.closest("li").dataset.incident);
  const focused = document.activeElement.closest?.("#list li");
  const [held, verb] = [focused?.dataset.incident, document.activeElement.dataset?.decision];
  fill(byId("list"), incidents.map((incident) => incidentLine(incident, VERBS)));
  for (const line of byId("list").children) {
    if (opened.includes(line.dataset.incident)) line.querySelector("details").open = true;
    if (line.dataset.incident === held) (line.querySelector(`[data-decision=${verb}]`) ?? line.querySelector("summary")).focus();
  }
}

function invite(words, again = null) {
  byId("empty").hidden = !words;
  if (!words) return;
  fill(byId("empty"), element("strong", {}, words[0]), element("p", { class: "soft" }, words[1]),
    again && element("button", { type: "button", class: "quiet", onclick: again }, "Try again"));
}

function decide(incident, decision) {
  deciding = { incident, decision };
  const releases = decision === "release";
  byId("decision-title").textContent = releases ? `Release ${incident.username}?` : `Uphold against ${incident.username}?`;
  byId("decision-means").textContent = meaningOf(incident, decision);
  byId("decide").textContent = releases ? "Release" : "Uphold";
  byId("decide").classList.toggle("danger", !releases);
  byId("decision-problem").textContent = "";
  byId("decision-form").reset();
  sheet.open();
}

async function conclude() {
  const { incident, decision } = deciding;
  if (byId("decide").getAttribute("aria-disabled") === "true") return;
  byId("decide").setAttribute("aria-disabled", "true");
  try {
    await reviewer.call("POST", `api/scoreboard/incidents/${incident.id}/review`, { decision, note: byId("note").value.trim() || null });
    sheet.close();
    byId("told").textContent = `${incident.username}: ${decision === "release" ? "released" : "upheld"}`;
    await list();
    byId("incidents-title").focus();
  } catch (refusal) {
    byId("decision-problem").textContent = `${refusal.message}.`;
    if (refusal.code === "INCIDENT_REVIEWED") list();
  } finally {
    byId("decide").removeAttribute("aria-disabled");
  }
}

async function hide({ userId, username, hidden }) {
  try {
    await reviewer.call("PATCH", `api/players/${userId}`, { hidden: !hidden });
    byId("told").textContent = hidden ? `${username} is on the boards again` : `${username} is on no board now`;
  } catch (refusal) {
    byId("told").textContent = `${refusal.message}.`;
  }
  await list();
}

async function read({ id }) {
  const { actions } = await reviewer.call("GET", `api/scoreboard/incidents/${id}`);
  return actions;
}
