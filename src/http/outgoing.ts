import type { SyncResponse } from '../api/hook.ts';
import type { Child } from '../api/kube.ts';
import { OPTIONAL_KINDS } from '../api/optional-children.ts';
import { rememberedByObject } from '../core/memo.ts';
import type { Outcome } from '../core/types.ts';

const KINDS: ReadonlyMap<string, string> = new Map([
  ['ConfigMap', 'v1'],
  ['Service', 'v1'],
  ['Deployment', 'apps/v1'],
  ...OPTIONAL_KINDS.map(({ kind, apiVersion }): [string, string] => [kind, apiVersion]),
]);

/**
 * What is wrong with an outcome, before anything is done about it; `undefined` when it may go out. A missing or malformed child
 * would be deleted by Metacontroller, a null one ends its process, one of another namespace or kind is never seen again.
 */
export function violation(outcome: Outcome, namespace: string): string | undefined {
  const { children, status, resyncAfterSeconds } = outcome;
  if (typeof status !== 'object' || status === null) return 'the status is no object';
  if (!Number.isFinite(resyncAfterSeconds)) return 'resyncAfterSeconds is no number';
  if (!Array.isArray(children)) return 'children is no array';
  const seen = new Set<string>();
  for (const child of children) {
    const wrong = childViolation(child, namespace, seen);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function childViolation(child: unknown, namespace: string, seen: Set<string>): string | undefined {
  if (!isRecord(child)) return 'a child is no object';
  const { kind, apiVersion, metadata } = child;
  if (typeof kind !== 'string' || KINDS.get(kind) !== apiVersion)
    return 'a child is of a kind that Flork does not make';
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '')
    return `a ${kind} has no name`;
  if (metadata['namespace'] !== namespace) return `a ${kind} is not in the namespace of its parent`;
  const key = `${kind}/${metadata['name']}`;
  if (seen.has(key)) return `a ${kind} is there twice`;
  seen.add(key);
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The answer in Metacontroller's fields, as JSON; strict decoding refuses any other field. */
export function syncResponse(outcome: Outcome, hook: 'sync' | 'finalize'): string {
  const { status, children, resyncAfterSeconds, finalized } = outcome;
  const fields: Omit<SyncResponse, 'children'> = {
    status,
    ...(resyncAfterSeconds > 0 ? { resyncAfterSeconds } : {}),
    ...(hook === 'finalize' ? { finalized } : {}),
  };
  return `${JSON.stringify(fields).slice(0, -1)},"children":[${children.map(textOf).join(',')}]}`;
}

/** A settled job is answered with the very same child objects at each poll: they are printed once. */
const textOf = rememberedByObject((child: Child) => JSON.stringify(child));
