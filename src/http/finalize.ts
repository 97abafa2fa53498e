import type { Context } from 'hono';
import type { Reply } from './reply.ts';
import type { Shell } from './shell.ts';
import { hook } from './sync.ts';

/** POST /finalize: the parent is being deleted or no longer matches the controller's selector. */
export function finalizeRoute(shell: Shell): (c: Context) => Promise<Reply> {
  return (c) => hook(shell, c, 'finalize');
}
