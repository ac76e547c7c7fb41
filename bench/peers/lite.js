// The general peer: @supabase/lite, which serves the same dialect over any tables, in production's settings.
//
// Environment: PORT, PGHOST, PGPORT, PGUSER, PGDATABASE (an empty database of its own), FIXTURE (a file of SQL: its
// tables and their rows), JWT_SECRET (whose HS256 tokens count; the package checks no others), NODE_ENV=production.
import { readFile } from "node:fs/promises";
import { serve } from "@hono/node-server";
import { App, SUPABASE_AUTH_HELPERS_SQL } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";

const { PORT, PGHOST, PGPORT, PGUSER, PGDATABASE, FIXTURE, JWT_SECRET } = process.env;
const POOL_SIZE = 20; // as many as the others have; its own default is half of that

const connection = createPostgresConnection({
  postgresOptions: {
    host: PGHOST,
    port: Number(PGPORT),
    username: PGUSER,
    database: PGDATABASE,
    max: POOL_SIZE,
    onnotice: () => {},
  },
});
await connection.driver.unsafe(SUPABASE_AUTH_HELPERS_SQL);
await connection.driver.unsafe(await readFile(FIXTURE, "utf8"));

const app = new App({
  connection,
  auth: { enabled: true, jwt_secret: JWT_SECRET },
  studio: { enabled: false },
});
await app.ensureSystemSchema();

const server = serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  fetch: (request, { incoming }) => app.fetch(request, { peerAddress: incoming.socket.remoteAddress ?? null }),
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.closeAllConnections();
    server.close(() => connection.close());
  });
}
