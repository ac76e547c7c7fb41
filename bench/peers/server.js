// The peer: Fastify and pg doing by hand, for these tables, what Headwater does for any table.
//
// Environment: PORT, JWKS (JSON text: the public keys whose RS256 tokens count), PGHOST, PGPORT, PGUSER, PGPASSWORD,
// PGDATABASE (unset: only /hello is served).
import { createHash, createPublicKey, randomUUID } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import { createVerifier } from "fast-jwt";
import Fastify, { LogController } from "fastify";
import pg from "pg";
import { observe } from "./observe.js";

const POOL_SIZE = 20;
const CACHED_TOKENS = 10_000;
const COLUMNS = "id, owner, title, body, done, priority, created_at";

// Text is what the wire wants; building a Date and printing it again would only slow the peer down.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, String);

const app = Fastify({
  logger: true,
  logController: new LogController({ disableRequestLogging: true }), // one line a request, below, instead of two
  genReqId: () => randomUUID(),
  requestIdHeader: "x-request-id",
});

// --- what every request passes -------------------------------------------------------------------------------------

await app.register(rateLimit, { max: 1_000_000_000, timeWindow: "1 minute" });

observe(app);

const verifiers = new Map(
  JSON.parse(process.env.JWKS).keys.map((jwk) => {
    const key = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
    return [jwk.kid, createVerifier({ key, algorithms: ["RS256"], complete: true })];
  }),
);
const verified = new Map();

/** The bearer's claims, as an object and as the text Postgres is given; a token is verified once. */
function claimsOf(request) {
  const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
  const known = verified.get(token);
  if (known !== undefined && known.expires > Date.now()) return known;
  const [head] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString() || "{}");
  const { payload } = verifiers.get(kid)(token);
  const entry = { role: payload.role, text: JSON.stringify(payload), expires: payload.exp * 1000 };
  if (verified.size >= CACHED_TOKENS) verified.clear();
  verified.set(token, entry);
  return entry;
}

function authenticate(request, reply, done) {
  try {
    request.claims = claimsOf(request);
  } catch {
    reply.code(401).send({ error: "AUTH_UNAUTHORIZED", message: "The token is not valid." });
    return;
  }
  done();
}

app.decorateRequest("claims", null);

// --- hello ---------------------------------------------------------------------------------------------------------

const greeting = { response: { 200: { type: "object", properties: { message: { type: "string" } } } } };

app.get("/hello", { schema: greeting, preHandler: authenticate }, async () => ({ message: "hello" }));

// --- rows ----------------------------------------------------------------------------------------------------------

const row = {
  type: "object",
  properties: {
    id: { type: "integer" },
    owner: { type: "string" },
    title: { type: "string" },
    body: { type: "string" },
    done: { type: "boolean" },
    priority: { type: "integer" },
    created_at: { type: "string" },
  },
};
const rows = { type: "array", items: row };
const newRow = {
  type: "object",
  required: ["owner", "title", "body", "done", "priority"],
  additionalProperties: false,
  properties: { ...row.properties, id: false, created_at: false },
};
const valuesOf = ({ owner, title, body, done, priority }) => [owner, title, body, done, priority];

const pool = new pg.Pool({ max: POOL_SIZE, idleTimeoutMillis: 30_000 });

/** A statement prepared once on each connection. */
function prepared(text) {
  const name = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return (values) => ({ name, text, values });
}

const assume = prepared("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)");

/** The four-trip way: BEGIN, role and claims, the query, COMMIT. */
async function inTransaction(claims, query) {
  const client = await pool.connect();
  let failure;
  try {
    await client.query("begin");
    await client.query(assume([claims.role, claims.text]));
    const result = await client.query(query);
    await client.query("commit");
    return result.rows;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.release(failure); // a connection that failed half-way is closed, never reused
  }
}

const rowById = prepared(`select ${COLUMNS} from todos where id = $1`);
const tenRows = prepared(`select ${COLUMNS} from todos order by id limit 10`);
const addRow = prepared(
  `insert into new_todos (owner, title, body, done, priority) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
);
const addRows = prepared(
  `insert into new_todos (owner, title, body, done, priority)
   select owner, title, body, done, priority
   from json_to_recordset($1) as r (owner uuid, title text, body text, done boolean, priority integer)
   returning id, title`,
);

const reading = { schema: { response: { 200: rows } }, preHandler: authenticate };
const titles = {
  type: "array",
  items: { type: "object", properties: { id: row.properties.id, title: row.properties.title } },
};
const writingMany = {
  schema: { body: { type: "array", items: newRow }, response: { 201: titles } },
  preHandler: authenticate,
};
const writing = { schema: { body: newRow, response: { 201: rows } }, preHandler: authenticate };

app.get("/four-trips/todos/:id", reading, (request) => inTransaction(request.claims, rowById([request.params.id])));
app.get("/four-trips/todos", reading, (request) => inTransaction(request.claims, tenRows([])));
app.post("/four-trips/new_todos", writing, (request, reply) => {
  reply.code(201);
  return inTransaction(request.claims, addRow(valuesOf(request.body)));
});
app.post("/four-trips/new_todos/bulk", writingMany, (request, reply) => {
  reply.code(201);
  return inTransaction(request.claims, addRows([JSON.stringify(request.body)]));
});

/** The one-trip way: a function (one_trip.sql) takes role and claims and answers JSON text, passed on as it is. */
async function inOneTrip(reply, query) {
  const result = await pool.query(query);
  reply.type("application/json; charset=utf-8");
  return result.rows[0].answer;
}

const oneRowById = prepared("select one_trip_todo_by_id($1, $2, $3) as answer");
const oneTenRows = prepared("select one_trip_ten_todos($1, $2) as answer");
const oneTenLists = prepared("select one_trip_ten_lists($1, $2) as answer");
const oneAddRow = prepared("select one_trip_add_todo($1, $2, $3, $4, $5, $6, $7) as answer");

const passing = { preHandler: authenticate };
const checking = { schema: { body: newRow }, preHandler: authenticate };

app.get("/one-trip/todos/:id", passing, ({ claims, params }, reply) =>
  inOneTrip(reply, oneRowById([claims.role, claims.text, params.id])),
);
app.get("/one-trip/todos", passing, ({ claims }, reply) => inOneTrip(reply, oneTenRows([claims.role, claims.text])));
app.get("/one-trip/lists", passing, ({ claims }, reply) => inOneTrip(reply, oneTenLists([claims.role, claims.text])));
app.post("/one-trip/new_todos", checking, ({ claims, body }, reply) => {
  reply.code(201);
  return inOneTrip(reply, oneAddRow([claims.role, claims.text, ...valuesOf(body)]));
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    await app.close();
    await pool.end();
  });
}
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
