import { GROUP, KIND, VERSION } from '../api/flinkjob.ts';
import * as v from 'valibot';
import { Parent, type CustomizeRequest, type SyncRequest } from '../api/hook.ts';
import { isObject } from '../api/json.ts';
import { TENANT } from '../core/observe-job.ts';
import { refuse, type Reply } from './reply.ts';
import type { HookConfig } from './shell.ts';

/** A request, or the path of what is not as Metacontroller writes it. */
export type ReadRequest =
  | { readonly kind: 'request'; readonly request: SyncRequest }
  | { readonly kind: 'malformed'; readonly path: string };

/**
 * Reads the body of /sync and /finalize, as the schema SyncRequest says but without copying the children: they are most of a
 * request, and src/api/observed.ts reads each of them field by field. An empty array is no group of children: it would read as "none".
 */
export function readSyncRequest(json: unknown): ReadRequest {
  if (!isObject(json)) return { kind: 'malformed', path: 'body' };
  const { controller, children, related, finalizing } = json;
  if (!isObject(controller)) return { kind: 'malformed', path: 'controller' };
  const parent = v.safeParse(Parent, json['parent'], { abortEarly: true });
  if (!parent.success) return { kind: 'malformed', path: `parent.${v.getDotPath(parent.issues[0]) ?? ''}` };
  if (!isGroups(children)) return { kind: 'malformed', path: 'children' };
  if (related !== undefined && related !== null && !isGroups(related)) return { kind: 'malformed', path: 'related' };
  if (typeof finalizing !== 'boolean') return { kind: 'malformed', path: 'finalizing' };
  return { kind: 'request', request: { controller, parent: parent.output, children, related, finalizing } };
}

function isGroups(value: unknown): value is SyncRequest['children'] {
  return (
    isObject(value) &&
    Object.values(value).every((group) => isObject(group) && Object.values(group).every((object) => isObject(object)))
  );
}

/** Why this parent is not answered here; `undefined` when it is. Never a 200: an empty answer would delete its children. */
export function foreign(
  request: CustomizeRequest,
  config: HookConfig,
  hook: 'sync' | 'finalize' | 'customize',
): Reply | undefined {
  const { parent } = request;
  if (parent.apiVersion !== `${GROUP}/${VERSION}` || parent.kind !== KIND) {
    return refuse(404, 'unknown-kind', `the parent is no ${KIND} of ${GROUP}/${VERSION}`);
  }
  const { namespaces, tenant } = config;
  const isTenants = tenant === undefined || parent.metadata.labels?.[TENANT] === tenant;
  if (!isTenants && hook !== 'sync' && isLeaving(request)) return undefined;
  if (namespaces !== '*' && !namespaces.includes(parent.metadata.namespace)) {
    return refuse(403, 'foreign-namespace', 'this Flork does not serve the namespace of the parent (FLORK_NAMESPACES)');
  }
  if (isTenants) return undefined;
  return refuse(403, 'foreign-tenant', `this Flork serves parents with label ${TENANT}: ${tenant} only (FLORK_TENANT)`);
}

/**
 * A parent that was moved to another tenant, alone or with its namespace, still carries the finalizer of this controller, and only this one can take it off
 * (Metacontroller calls finalize when a parent stops matching the selector, and customize before it).
 */
function isLeaving(request: CustomizeRequest): boolean {
  const { metadata } = request.controller;
  const name = typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  if (typeof name !== 'string') return false;
  return request.parent.metadata.finalizers?.includes(`metacontroller.io/compositecontroller-${name}`) ?? false;
}

/** The parent in a log line. */
export function parentFields(parent: Parent): Record<string, string | number> {
  const { namespace, name, uid, generation } = parent.metadata;
  return { namespace, name, uid, generation: generation ?? 0 };
}
