import { GROUP, KIND, VERSION } from '../api/flinkjob.ts';
import type { CustomizeRequest, Parent } from '../api/hook.ts';
import { refuse, type Reply } from './reply.ts';
import type { HookConfig } from './shell.ts';

export const TENANT_LABEL = `${GROUP}/tenant`;

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
  if (namespaces !== '*' && !namespaces.includes(parent.metadata.namespace)) {
    return refuse(403, 'foreign-namespace', 'this Flork does not serve the namespace of the parent (FLORK_NAMESPACES)');
  }
  const isTenants = tenant === undefined || parent.metadata.labels?.[TENANT_LABEL] === tenant;
  if (isTenants || (hook !== 'sync' && isLeaving(request))) return undefined;
  return refuse(
    403,
    'foreign-tenant',
    `this Flork serves parents with label ${TENANT_LABEL}: ${tenant} only (FLORK_TENANT)`,
  );
}

/**
 * A parent that was moved to another tenant still carries the finalizer of this controller, and only this one can take it off
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
