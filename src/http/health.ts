import type { Hono } from 'hono';
import type { Shell } from './shell.ts';

/** GET /healthz, /readyz and /metrics. */
export function healthRoutes(app: Hono, shell: Shell): void {
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => (shell.draining() ? c.text('draining\n', 503) : c.text('ok\n')));
  app.get('/metrics', async (c) =>
    c.body(await shell.metrics.text(), 200, { 'content-type': shell.metrics.contentType }),
  );
}
