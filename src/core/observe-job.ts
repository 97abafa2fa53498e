import type { Parent } from '../api/hook.ts';
import { parseStatus, strangeOperation } from '../api/status.ts';
import { rememberedByObject, rememberedByText } from './memo.ts';
import type { Guard } from './profile/guard.ts';
import type { JobRef } from './record.ts';
import type { ObservedJob } from './types.ts';
import { validateSpec } from './validate/validate-spec.ts';

/** Freezes every decision about a FlinkJob while it is `"true"`. */
export const PAUSED = 'flork.itom.com/paused';
/** Names the tenant whose controller cares for a FlinkJob. */
export const TENANT = 'flork.itom.com/tenant';

/** A spec is judged once, not at every sync; the text and the tenant profile are all that the judgement depends on. */
const judgedBy = rememberedByObject((by: { readonly guard: Guard | undefined }) =>
  rememberedByText(256, (text) => {
    const [spec, meta] = JSON.parse(text) as [unknown, Parameters<typeof validateSpec>[1]];
    return validateSpec(spec, meta, by.guard);
  }),
);
const WITHOUT = { guard: undefined };
const within = rememberedByObject((guard: Guard) => ({ guard }));

/** What of a FlinkJob's metadata a judgement depends on. */
export function metaOf({ name, namespace, labels }: Parent['metadata']): Omit<JobRef, 'uid'> {
  const tenant = labels?.[TENANT];
  return { name, namespace, ...(tenant !== undefined && { tenant }) };
}

/** Reads the FlinkJob that Metacontroller showed; never throws, a wrong spec becomes findings. */
export function readJob(parent: Parent, guard?: Guard): ObservedJob {
  const { uid, generation, deletionTimestamp, finalizers, annotations } = parent.metadata;
  const strange = strangeOperation(parent['status']);
  return {
    ref: { uid, ...metaOf(parent.metadata) },
    generation: generation ?? 0,
    deletionTimestamp: deletionTimestamp ?? undefined,
    finalizers: finalizers ?? [],
    paused: annotations?.[PAUSED] === 'true',
    spec: judgedBy(guard === undefined ? WITHOUT : within(guard))(
      JSON.stringify([parent['spec'] ?? null, metaOf(parent.metadata)]),
    ),
    status: parseStatus(parent['status']),
    ...(strange === undefined ? {} : { strange }),
  };
}
