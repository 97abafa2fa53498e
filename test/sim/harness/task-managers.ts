import type { Status as StatusOf } from '../../../src/api/status.ts';
import { at, numberAt, type KubeObject } from '../../../src/sim/models/objects.ts';
import type { Report, SyncRecord } from './checker.ts';
import type { Ledger } from './ledger.ts';

const SCALED_BY = 'flork.itom.com/scale-generation';

/** TaskManagers of a running epoch change by an observed intent only, first up and last down, and never by an older view. */
export function checkTaskManagers(
  { request, asked }: SyncRecord,
  { before, after }: Record<'before' | 'after', KubeObject | undefined>,
  observed: Partial<StatusOf>,
  ledger: Ledger,
  report: Report,
): void {
  const { uid = '', generation = 0 } = request.parent.metadata;
  const epochs = [before, after].map((one) => one?.metadata.annotations?.['flork.itom.com/epoch']);
  const by = Number(after?.metadata.annotations?.[SCALED_BY] ?? 0);
  if (epochs[0] === undefined || epochs[0] !== epochs[1] || request.finalizing) return;
  const byBefore = Number(before?.metadata.annotations?.[SCALED_BY] ?? 0);
  const [was, is] = [numberAt(before, 'spec', 'replicas') ?? 0, numberAt(after, 'spec', 'replicas') ?? 0];
  if (by > generation && by !== byBefore)
    report('rescale', `TaskManagers of generation ${by}, in answer to ${generation}`);
  if (by < byBefore && is > 0) report('rescale', `TaskManagers of generation ${byBefore} are overwritten`);
  if (by === byBefore || was === is || (is === 0 && by === 0)) return;
  const { operation, epoch } = observed;
  if (operation?.kind !== 'rescale' || epoch?.scale?.taskManagers !== is)
    report('rescale', `TaskManagers ${was} → ${is} while ${JSON.stringify(epoch?.scale)} is observed`);
  if (is > was) return;
  if (!asked.some(({ response }) => response.kind === 'response' && response.status === 200))
    report('rescale', `TaskManagers ${was} → ${is} although Flink did not answer`);
  const reactive = at(request.parent, 'spec', 'flinkConf', 'scheduler-mode') === 'reactive';
  if (!reactive && ledger.needs(uid) > is)
    report('rescale', `TaskManagers ${was} → ${is}, but the job runs on ${ledger.needs(uid)}`);
}
