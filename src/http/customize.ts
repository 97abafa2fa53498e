import type { Context } from 'hono';
import * as v from 'valibot';
import { GROUP } from '../api/flinkjob.ts';
import { CustomizeRequest } from '../api/hook.ts';
import { readBody } from './body.ts';
import { foreign } from './envelope.ts';
import { answer, refuse, type Reply } from './reply.ts';
import type { Shell } from './shell.ts';

/**
 * POST /customize: what else Metacontroller shows with each sync. Constant for a parent (the answer is cached by generation):
 * the pods of the job, unless Flork reads them itself, and its namespace, which tells when it is being deleted.
 */
export function customizeRoute(shell: Shell): (c: Context) => Promise<Reply> {
  return async (c) => {
    const body = await readBody(c, shell.config.maxBodyBytes);
    if (body.kind === 'refused') return body.reply;
    const parsed = v.safeParse(CustomizeRequest, body.json);
    if (!parsed.success)
      return refuse(400, 'bad-envelope', `the body is no customize request: ${v.getDotPath(parsed.issues[0]) ?? ''}`);
    const refused = foreign(parsed.output, shell.config, 'customize');
    if (refused !== undefined) return refused;
    const { name, namespace } = parsed.output.parent.metadata;
    const pods = {
      apiVersion: 'v1',
      resource: 'pods',
      namespace,
      labelSelector: { matchLabels: { [`${GROUP}/job`]: name } },
    };
    const own = { apiVersion: 'v1', resource: 'namespaces', names: [namespace] };
    return answer({ relatedResources: shell.readPods ? [own] : [pods, own] }, 'customize');
  };
}
