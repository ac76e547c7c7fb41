// One incident: who, what looked wrong, how much is at stake, and what was done.

import { element, fill } from "/web/kit/elements.js";
import { hueOf } from "../places.js";
import { ago, moment, number, points, sentence, titled } from "../words.js";

const OUTCOMES = { held: "held", counted: "counted", released: "counts", refused: "does not count" };

/**
 * An `<li>` of an incident; `verbs` are `decide(incident, decision)`, `hide(incident)`, `read(incident)`, which brings
 * its actions, and `titleOf(board)`, what a board is called.
 */
export function incidentLine(incident, verbs) {
  const { id, userId, username, board, attempts, points: sum, score, reasons, hidden, openedAt, latestAt } = incident;
  const face = element("span", { class: "avatar", "aria-hidden": "true" }, Array.from(username)[0]?.toUpperCase() ?? "");
  face.style.setProperty("--hue", hueOf(userId));
  return element("li", { class: "incident", "data-incident": id },
    element("div", { class: "whose" }, face,
      element("div", {}, element("h3", {}, username, hidden && element("span", { class: "tag" }, "hidden")),
        element("p", { class: "soft" }, `${verbs.titleOf(board)} · `, element("time", { datetime: latestAt, title: moment(openedAt) }, ago(latestAt)))),
      element("p", { class: "stake" }, element("strong", {}, number(sum)), element("span", { class: "soft" }, stakeOf(incident, attempts)))),
    element("ul", { class: "reasons" }, reasons.map(({ code, sentence: words, weight }) => reason(code, words, weight))),
    element("p", { class: "soft sure" }, `Together ${Math.round(score * 100)} % sure`),
    incident.state === "open" ? decisions(incident, verbs) : element("p", { class: "decided" }, decided(incident)),
    actionsOf(incident, verbs));
}

function stakeOf({ outcome }, attempts) {
  const actions = attempts === 1 ? "1 action" : `${number(attempts)} actions`;
  return outcome === "held" ? `points held, ${actions}` : `points that counted, ${actions}`;
}

function reason(code, words, weight) {
  const meter = element("span", { class: "weight", "aria-hidden": "true" });
  meter.style.setProperty("--weight", weight);
  return element("li", {}, element("span", { class: "tag" }, titled(code)), element("span", { class: "words" }, sentence(words)), meter);
}

function decisions(incident, { decide, hide }) {
  const shadow = incident.outcome === "counted";
  return element("div", { class: "decisions" },
    element("button", { type: "button", "data-decision": "release", onclick: () => decide(incident, "release") }, shadow ? "All is well" : "Release"),
    element("button", { type: "button", class: "quiet danger", "data-decision": "confirm", onclick: () => decide(incident, "confirm") }, "Uphold"),
    element("button", { type: "button", class: "quiet plain", "data-decision": "hide", onclick: () => hide(incident) },
      incident.hidden ? "Show on the boards" : "Hide from the boards"));
}

function decided({ state, reviewedAt, reviewedBy, note }) {
  const who = `${state === "released" ? "Released" : "Upheld"} ${ago(reviewedAt)} by ${reviewedBy}`;
  return note ? `${who}: ${note}` : who;
}

function actionsOf(incident, { read }) {
  const body = element("div", { class: "deeds-seen" });
  const details = element("details", {}, element("summary", {}, "What was done"), body);
  details.addEventListener("toggle", async () => {
    if (!details.open || body.children.length > 0) return;
    fill(body, element("p", { class: "soft" }, "Looking…"));
    try {
      fill(body, table(await read(incident)));
    } catch (refusal) {
      fill(body, element("p", { class: "problem" }, `${refusal.message}. Close this and open it again.`));
      details.addEventListener("toggle", () => fill(body), { once: true });
    }
  });
  return details;
}

function table(actions) {
  if (actions.length === 0) return element("p", { class: "soft" }, "These actions are not kept any more.");
  const head = ["When", "Action", "Points", "From", "Outcome"].map((name) => element("th", { scope: "col" }, name));
  return element("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Actions of this incident" },
    element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, actions.map(row))));
}

function row({ actionType, points: brought, address, device, outcome, createdAt }) {
  const from = [address || "unknown", device && `device ${device.slice(0, 8)}`].filter(Boolean).join(", ");
  return element("tr", {}, [moment(createdAt), actionType ? titled(actionType) : "Free points", number(brought), from, OUTCOMES[outcome] ?? outcome]
    .map((told) => element("td", {}, told)));
}

/** What a decision means, for people. */
export function meaningOf({ username, attempts, points: sum, outcome }, decision) {
  const one = attempts === 1;
  const what = `${one ? "One action" : `${number(attempts)} actions`} of ${username}`;
  if (outcome === "counted" && decision === "release") return `${what} counted, and will be remembered as right.`;
  if (outcome === "counted") return `${what} counted. The points stay until they are taken back by hand.`;
  if (decision === "confirm") return `${what} will never count, ${points(sum)} in all.`;
  return `${what} ${one ? "counts" : "count"} from now on, ${points(sum)} in all. The rules leave ${username} alone for some days.`;
}
