import type { Status } from '../../../src/api/status.ts';
import { at, text, tree, type KubeObject } from '../../../src/sim/models/objects.ts';

/** Whether anything stored names this path as what a start begins, or may begin, from. */
export function isNeeded(list: (kind: string) => readonly KubeObject[], owner: string, path: string): boolean {
  const job = list('FlinkJob').find((one) => one.metadata.uid === owner);
  const { epoch, stableEpoch, failedEpoch, snapshots } = tree(job?.['status']) as Partial<Status>;
  const restores = list('ConfigMap')
    .filter((one) => one.metadata.name.includes('-restore-') && ownerUid(one) === owner)
    .map((one) => text(at(one, 'data', 'path')));
  const named = [
    ...restores,
    epoch?.restoredFrom,
    epoch?.ended?.path,
    stableEpoch?.path,
    failedEpoch?.path,
    failedEpoch?.newest,
    snapshots?.lastCheckpoint?.path,
    snapshots?.lastSavepoint?.path,
    text(at(job?.['spec'], 'restore', 'from')),
  ];
  return named.includes(path);
}

function ownerUid(object: KubeObject): string {
  return text(at(tree(object.metadata.ownerReferences?.[0]), 'uid'));
}
