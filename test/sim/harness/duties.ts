import { epochNames } from '../../../src/core/build/names.ts';
import type { Duty, DutyResult } from '../../../src/core/duty.ts';
import { at, numberAt, text } from '../../../src/sim/models/objects.ts';
import type { SyncRequest } from '../../../src/sim/models/metacontroller/hook.ts';
import { statusOf, type Report } from './checker.ts';
import type { Ledger } from './ledger.ts';

/** Judges what Flork itself asked of the API server in one sync, by what was observed in it and by what truly lives. */
export function checkDuties(
  request: SyncRequest,
  duties: readonly DutyResult[],
  now: number,
  ledger: Ledger,
  report: Report,
): void {
  for (const { duty } of duties) {
    const { name, namespace, uid } = request.parent.metadata;
    if (duty.job !== name || duty.namespace !== namespace || duty.uid !== uid)
      report('S7', `${duty.kind} of ${duty.namespace}/${duty.job} (${duty.uid})`);
    const wrong = wrongWith(duty, request, now, ledger);
    if (wrong !== undefined) report(duty.kind === 'clean-high-availability' ? 'S3' : 'intent observed', wrong);
  }
}

function wrongWith(duty: Duty, request: SyncRequest, now: number, ledger: Ledger): string | undefined {
  switch (duty.kind) {
    case 'clean-high-availability':
      return wrongCleaning(duty, request, ledger);
    case 'delete-self':
      return wrongDeletion(request, now);
    case 'events':
      return wrongEvent(duty, request);
    default:
      return duty satisfies never;
  }
}

/** Metadata of an epoch that is over for good, listed in the observed status, of which no process lives or will ever start. */
function wrongCleaning(
  duty: Extract<Duty, { kind: 'clean-high-availability' }>,
  { parent, finalizing }: SyncRequest,
  ledger: Ledger,
): string | undefined {
  const { highAvailability = [], epoch: current } = statusOf(parent);
  const { name, uid = '', deletionTimestamp } = parent.metadata;
  const clusters = duty.epochs.map((epoch) => epochNames({ name, uid }, epoch).clusterId);
  const strange = duty.configMaps.find((one) => !clusters.some((cluster) => one.startsWith(`${cluster}-`)));
  if (strange !== undefined) return `${strange} is of none of the epochs ${duty.epochs.join(', ')}`;
  for (const epoch of duty.epochs) {
    const { clusterId } = epochNames({ name, uid }, epoch);
    const listed = highAvailability.some((entry) => (entry.from ?? entry.epoch) <= epoch && epoch <= entry.epoch);
    if (!listed) return `metadata of epoch ${epoch} goes and is not in the observed status`;
    const alive = ledger.aliveIn(clusterId);
    if (alive !== undefined) return `metadata of epoch ${epoch} goes while ${alive.podName} lives`;
    const ended = current?.ended;
    const over = ended !== undefined && !ended.byFlork && ended.how !== 'failed';
    const left = current !== undefined && epoch < current.number && (current.stableAt !== undefined || over);
    const deleted = finalizing && deletionTimestamp !== undefined;
    if (!left && !deleted && !(over && epoch === current?.number))
      return `metadata of epoch ${epoch} goes, and the observed status is ${JSON.stringify(current)}`;
    ledger.retire(clusterId);
  }
  return undefined;
}

function wrongDeletion({ parent, finalizing }: SyncRequest, now: number): string | undefined {
  const { state, epoch } = statusOf(parent);
  const stays = (numberAt(parent, 'spec', 'policies', 'ttlSecondsAfterFinished') ?? 0) * 1000;
  const wanted = text(at(parent, 'spec', 'policies', 'deletion', 'trigger')) === 'Termination';
  const ended = epoch?.ended;
  const over = state === 'Finished' && ended !== undefined && !ended.byFlork && Date.parse(ended.at) + stays <= now;
  return wanted && over && !finalizing ? undefined : `a FlinkJob deletes itself in state ${state} at ${now}`;
}

function wrongEvent(duty: Extract<Duty, { kind: 'events' }>, { parent }: SyncRequest): string | undefined {
  const told = (statusOf(parent).history ?? []).some((line) => line.reason === duty.reason && line.at === duty.at);
  return told ? undefined : `Event ${duty.reason} is of no line of the observed history`;
}
