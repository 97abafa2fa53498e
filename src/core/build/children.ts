import type { Child } from '../../api/kube.ts';
import type { EpochRecord, JobRef } from '../record.ts';
import { rememberedByObject, rememberedByText } from '../memo.ts';
import { annotated, sealed } from './child.ts';

/** Annotation with the number of the epoch: on both Deployments and on their pods. */
export const EPOCH = 'flork.itom.com/epoch';

/** Annotation of both Deployments: hash of the record they were made from. */
const RECORD_HASH = 'flork.itom.com/record-hash';

/**
 * Annotation of the TaskManagers' Deployment: generation of the spec by which its replicas were changed within an epoch. An answer to
 * an older view of the FlinkJob leaves them alone.
 */
export const SCALE_GENERATION = 'flork.itom.com/scale-generation';

/** Number of processes of each kind; `scaledBy` is that generation. */
export type Replicas = EpochRecord['replicas'] & { readonly scaledBy?: number | undefined };

/** The children that an epoch's record describes, in the order in which Metacontroller applies kinds. */
export function epochChildren(_ref: JobRef, record: EpochRecord, recordHash: string, replicas: Replicas): Child[] {
  return [
    ...rendered(record)(
      JSON.stringify([recordHash, replicas.jobManager, replicas.taskManager, replicas.scaledBy ?? 0]),
    ),
  ];
}

/** A settled job is answered with the same children at every sync. */
const rendered = rememberedByObject((record: EpochRecord) =>
  rememberedByText(4, (key): readonly Child[] => {
    const [recordHash, ...replicas] = JSON.parse(key) as [string, number, number, number];
    const { configuration, services, jobManager, taskManager } = record.children;
    const annotations = { [EPOCH]: String(record.number), [RECORD_HASH]: recordHash };
    const scaled = replicas[2] > 0 ? { [SCALE_GENERATION]: String(replicas[2]) } : {};
    return [
      sealed(configuration),
      ...services.map(sealed),
      sealed(annotated(withReplicas(jobManager, replicas[0]), annotations)),
      sealed(annotated(withReplicas(taskManager, replicas[1]), { ...annotations, ...scaled })),
    ];
  }),
);

function withReplicas(deployment: Child, replicas: number): Child {
  return { ...deployment, spec: { ...(deployment['spec'] as object), replicas } };
}
