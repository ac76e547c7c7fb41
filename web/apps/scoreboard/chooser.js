// Which board is looked at, and which of its seasons.

import { byId, element, fill } from "/web/kit/elements.js";
import { isTournament, stageOf } from "./terms.js";
import { day } from "./words.js";

const GROUPS = [["Boards", null], ["Tournaments", "open"], ["Tournaments to come", "coming"], ["Tournaments that are over", "over"]];

/** List the boards, tournaments apart, and choose the one that is shown; no list where there is only one. */
export function listBoards(boards, chosen) {
  const groupOf = (board) => (isTournament(board) ? stageOf(board) : null);
  const groups = GROUPS.map(([label, stage]) => [label, boards.filter((board) => groupOf(board) === stage)]).filter(([, found]) => found.length > 0);
  const option = ({ name, title }) => element("option", { value: name }, title);
  fill(byId("boards"), groups.length > 1
    ? groups.map(([label, found]) => element("optgroup", { label }, found.map(option)))
    : boards.map(option));
  byId("boards").value = chosen.name;
  byId("board-choice").hidden = boards.length < 2;
}

/** List the seasons that are over, the newest first, and choose one. */
export function listSeasons(seasons, chosen) {
  const told = ({ season, lastUpdated }) => `Season ${season}, to ${day(lastUpdated)}`;
  fill(byId("seasons"), seasons.map((one) => element("option", { value: one.season }, told(one))));
  byId("seasons").value = String(chosen ?? "");
}
