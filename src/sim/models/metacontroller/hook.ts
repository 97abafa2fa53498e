import type { KubeObject } from '../objects.ts';

/** How Metacontroller reaches the hook. */
export type HookCall = 'sync' | 'finalize' | 'customize';
export type HookReply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      readonly retryAfter: string | undefined;
    }
  | { readonly kind: 'unreachable' };
export type HookClient = (call: HookCall, body: string) => Promise<HookReply>;

export type Groups = Readonly<Record<string, Readonly<Record<string, KubeObject>>>>;
export type SyncRequest = {
  readonly controller: KubeObject;
  readonly parent: KubeObject;
  readonly children: Groups;
  readonly related: Groups;
  readonly finalizing: boolean;
};
export type SyncAnswer = {
  readonly status: unknown;
  readonly children: readonly KubeObject[];
  readonly resyncAfterSeconds: number;
  readonly finalized: boolean;
};

const FIELDS = new Set(['status', 'children', 'resyncAfterSeconds', 'finalized']);

/** Decodes answers; what a settled job is answered again is decoded once. */
export function answerDecoder(): (body: string) => SyncAnswer | string {
  let last: { readonly body: string; readonly answer: SyncAnswer | string } | undefined;
  return (body) => {
    if (last?.body !== body) last = { body, answer: decodeAnswer(body) };
    return last.answer;
  };
}

/** Strict decoding (hook v2): an unknown field is an error. A child without kind cannot be applied. */
export function decodeAnswer(body: string): SyncAnswer | string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'the answer is not JSON';
  }
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) return `unknown field "${unknown}"`;
  const children = (fields['children'] ?? []) as readonly (KubeObject | null)[];
  // Metacontroller itself dereferences a null child and dies.
  if (children.some((child) => child === null)) throw new Error('a null child crashes Metacontroller');
  if (children.some((child) => child?.kind === undefined || child.apiVersion === undefined))
    return 'a child without kind';
  return {
    status: fields['status'],
    children: children as readonly KubeObject[],
    resyncAfterSeconds: Number(fields['resyncAfterSeconds'] ?? 0),
    finalized: fields['finalized'] === true,
  };
}

/** One of the rules that /customize answers with. */
export type RelatedRule = {
  readonly apiVersion: string;
  readonly resource: string;
  readonly names?: readonly string[];
  readonly namespace?: string;
  readonly labelSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
};

export function decodeRules(body: string): readonly RelatedRule[] | undefined {
  try {
    const json = JSON.parse(body) as { relatedResources?: readonly RelatedRule[] | null };
    return json.relatedResources ?? [];
  } catch {
    return undefined;
  }
}
