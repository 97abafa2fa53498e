import type { Parent } from '../api/hook.ts';
import { parseStatus } from '../api/status.ts';
import { rememberedByText } from './memo.ts';
import type { ObservedJob } from './types.ts';
import { validateSpec } from './validate/validate-spec.ts';

/** Freezes every decision about a FlinkJob while it is `"true"`. */
export const PAUSED = 'flork.itom.com/paused';
/** Names the tenant whose controller cares for a FlinkJob. */
export const TENANT = 'flork.itom.com/tenant';

/** A spec is judged once, not at every sync; the text is all that the judgement depends on. */
const judged = rememberedByText(256, (text) => {
  const [spec, name, namespace] = JSON.parse(text) as [unknown, string, string];
  return validateSpec(spec, { name, namespace });
});

/** Reads the FlinkJob that Metacontroller showed; never throws, a wrong spec becomes findings. */
export function readJob(parent: Parent): ObservedJob {
  const { name, namespace, uid, generation, deletionTimestamp, finalizers, labels, annotations } = parent.metadata;
  const tenant = labels?.[TENANT];
  return {
    ref: { name, namespace, uid, ...(tenant !== undefined && { tenant }) },
    generation: generation ?? 0,
    deletionTimestamp: deletionTimestamp ?? undefined,
    finalizers: finalizers ?? [],
    paused: annotations?.[PAUSED] === 'true',
    spec: judged(JSON.stringify([parent['spec'] ?? null, name, namespace])),
    status: parseStatus(parent['status']),
  };
}
