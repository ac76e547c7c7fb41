// The peer of bench/scoreboard.py: the original design (contracts/scoreboard.md) as a careful team would write it by
// hand: Fastify, pg, ioredis, ws. Its faults that cost nothing to avoid are avoided; what it does for each request is
// what it drew: a limit in Redis, a hash, one transaction, rank by COUNT, the top ten in Redis for 30 s and to everyone.
//
// Environment: PORT, JWT_SECRET (HS256), REDIS (a socket's path), PGHOST, PGPORT, PGUSER, PGDATABASE,
// UPDATES_PER_SECOND (unset: watchers are told after each update; else at most so often, and the newest at last).
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import { createVerifier } from "fast-jwt";
import Fastify, { LogController } from "fastify";
import Redis from "ioredis";
import pg from "pg";
import { WebSocketServer } from "ws";
import { observe } from "../observe.js";

const POOL_SIZE = 20;
const WINDOW = 300_000;
const TOP = 10;
const TOP_KEY = "scoreboard:top10";
const TOP_SECONDS = 30;
const SCORE_SECONDS = 300;
const NO_LIMIT = 1_000_000_000; // every request is counted, none is refused

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const app = Fastify({
  logger: true,
  logController: new LogController({ disableRequestLogging: true }), // one line a request, below, instead of two
  genReqId: () => randomUUID(),
  requestIdHeader: "x-request-id",
});
const redis = new Redis({ path: process.env.REDIS, enableAutoPipelining: true });
const pool = new pg.Pool({ max: POOL_SIZE, idleTimeoutMillis: 30_000 });

// --- what every request passes -------------------------------------------------------------------------------------

await app.register(rateLimit, { max: NO_LIMIT, timeWindow: "1 minute", redis });

observe(app, { config: { rateLimit: false } });

const refused = (reply, status, code, message) => reply.code(status).send({ success: false, error: { code, message } });
const verify = createVerifier({ key: process.env.JWT_SECRET, algorithms: ["HS256"], cache: 10_000 });

app.decorateRequest("user", null);

function authenticate(request, reply, done) {
  try {
    request.user = verify(request.headers.authorization?.slice("Bearer ".length) ?? "");
  } catch {
    refused(reply, 401, "INVALID_TOKEN", "The token is not valid");
    return;
  }
  done();
}

// --- statements, each prepared once on a connection ----------------------------------------------------------------

function prepared(text) {
  const name = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return (...values) => ({ name, text, values });
}

const logAction = prepared(
  `insert into action_logs (user_id, action_id, score_increment, action_hash, timestamp, ip_address)
   values ($1, $2, $3, $4, $5, $6) on conflict (action_id) do nothing`,
);
const addPoints = prepared(
  `insert into scores as mine (user_id, score, last_updated) values ($1, $2, $3)
   on conflict (user_id) do update set score = mine.score + excluded.score, last_updated = excluded.last_updated
   returning score`,
);
const countBefore = prepared(
  `select 1 + count(*) as rank from scores where score > $1 or (score = $1 and last_updated < $2)`,
);
const topTen = prepared(
  `select scores.user_id as "userId", username, score, last_updated as "lastUpdated"
   from scores join users on users.id = scores.user_id order by score desc, last_updated limit ${TOP}`,
);
const countAll = prepared("select count(*) as total from scores");

// --- the board -----------------------------------------------------------------------------------------------------

/** The first ten from the rows, in JSON, kept in Redis for 30 s. */
async function loadTop() {
  const [{ rows }, { rows: counted }] = await Promise.all([pool.query(topTen()), pool.query(countAll())]);
  const scoreboard = rows.map((row, index) => ({ rank: index + 1, ...row }));
  const lastUpdated = new Date(Math.max(0, ...rows.map((row) => row.lastUpdated)));
  const text = JSON.stringify({ scoreboard, totalUsers: counted[0].total, lastUpdated });
  await redis.set(TOP_KEY, text, "EX", TOP_SECONDS);
  return text;
}

app.get("/api/scoreboard", async (request, reply) => {
  const text = (await redis.get(TOP_KEY)) ?? (await loadTop());
  reply.type("application/json; charset=utf-8");
  return `{"success":true,"data":${text}}`;
});

// --- who watches ---------------------------------------------------------------------------------------------------

const watchers = new WebSocketServer({ noServer: true, clientTracking: true });
app.server.on("upgrade", (request, socket, head) => {
  watchers.handleUpgrade(request, socket, head, (client) => {
    const timestamp = new Date().toISOString();
    const told = { status: "connected", connectionId: randomUUID(), timestamp };
    client.send(JSON.stringify({ type: "connection_status", data: told, timestamp }));
  });
});

function broadcast(text) {
  const frame = Buffer.from(`{"type":"scoreboard_update","data":${text},"timestamp":"${new Date().toISOString()}"}`);
  for (const client of watchers.clients) client.send(frame, { binary: false });
}

const pause = process.env.UPDATES_PER_SECOND ? 1000 / Number(process.env.UPDATES_PER_SECOND) : 0;
let waiting = null;

/** After each update, or at most so often and then the newest. */
function tell(text) {
  if (!pause) broadcast(text);
  else waiting ??= setTimeout(async () => {
    waiting = null;
    broadcast((await redis.get(TOP_KEY)) ?? (await loadTop()));
  }, pause);
}

// --- an update -----------------------------------------------------------------------------------------------------

/** The score after the action, once; null where the action was spent. */
async function count(user, action, at, ip) {
  const client = await pool.connect();
  let failure;
  try {
    await client.query("begin");
    const { actionId, scoreIncrement, actionHash, timestamp } = action;
    const logged = await client.query(logAction(user, actionId, scoreIncrement, actionHash, timestamp, ip));
    const score = logged.rowCount ? (await client.query(addPoints(user, scoreIncrement, at))).rows[0].score : null;
    await client.query("commit");
    return score;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.release(failure); // a connection that failed half-way is closed, never reused
  }
}

const body = {
  type: "object",
  required: ["actionId", "scoreIncrement", "timestamp", "actionHash"],
  properties: {
    actionId: { type: "string" },
    scoreIncrement: { type: "integer", minimum: 1, maximum: 1000 },
    timestamp: { type: "string" },
    actionHash: { type: "string" },
  },
};
const answer = {
  type: "object",
  properties: {
    success: { type: "boolean" },
    data: {
      type: "object",
      properties: {
        userId: { type: "string" },
        newScore: { type: "integer" },
        rank: { type: "integer" },
        message: { type: "string" },
      },
    },
  },
};
const limited = {
  rateLimit: { max: NO_LIMIT, timeWindow: "1 minute", hook: "preHandler", keyGenerator: ({ user }) => user.sub },
};

app.post(
  "/api/scoreboard/update",
  { schema: { body, response: { 200: answer } }, onRequest: authenticate, config: limited },
  async (request, reply) => {
    const { actionId, scoreIncrement, timestamp, actionHash } = request.body;
    const expected = createHash("sha256").update(`${actionId}-${scoreIncrement}-${timestamp}`).digest("hex");
    if (actionHash.length !== expected.length || !timingSafeEqual(Buffer.from(actionHash), Buffer.from(expected)))
      return refused(reply, 400, "INVALID_ACTION_HASH", "The action's hash is wrong");
    const age = Date.now() - Date.parse(timestamp);
    if (!(age < WINDOW)) return refused(reply, 400, "INVALID_ACTION_HASH", "The action is too old");
    const user = request.user.sub;
    const at = new Date();
    const newScore = await count(user, request.body, at, request.ip);
    if (newScore === null) return refused(reply, 400, "DUPLICATE_ACTION", "The action was used before");
    await redis.del(TOP_KEY, `user:${user}:score`);
    const [ranked, top] = await Promise.all([
      pool.query(countBefore(newScore, at)),
      pause ? null : loadTop(),
      redis.set(`user:${user}:score`, newScore, "EX", SCORE_SECONDS),
    ]);
    tell(top);
    const { rank } = ranked.rows[0];
    return { success: true, data: { userId: user, newScore, rank, message: "Score updated successfully" } };
  },
);

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    for (const client of watchers.clients) client.terminate();
    await app.close();
    await pool.end();
    redis.disconnect();
  });
}
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
