import { Hono } from 'hono';

/**
 * What the API server may reach: /validate and the probes of the whole service, on a port of their own, so that a port that is open
 * to wherever the API server calls from does not open the hooks of Metacontroller as well.
 */
export function admissionApp(service: Hono): Hono {
  const app = new Hono();
  for (const path of ['/validate', '/healthz', '/readyz'])
    app.all(path, (c) => service.fetch(c.req.raw, c.env as object));
  return app;
}
