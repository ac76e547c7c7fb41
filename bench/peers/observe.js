// What a careful team lets its service tell of every request: its id, a line of the log, how long it took, and /metrics.
import prom from "prom-client";

/** Observe every request of a Fastify app; `metrics` are further options of the route /metrics. */
export function observe(app, metrics = {}) {
  const seconds = new prom.Histogram({
    name: "http_request_duration_seconds",
    help: "Seconds from the request's arrival to its answer.",
    labelNames: ["method", "route", "status"],
  });

  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });

  app.addHook("onResponse", (request, reply, done) => {
    const { method, routeOptions, url, ip } = request;
    seconds.labels(method, routeOptions.url, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
    request.log.info({ method, url, ip, status: reply.statusCode, milliseconds: reply.elapsedTime }, "answered");
    done();
  });

  app.get("/metrics", { logLevel: "warn", ...metrics }, async (request, reply) => {
    reply.type(prom.register.contentType);
    return prom.register.metrics();
  });
}
