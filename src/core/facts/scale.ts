import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import type { ObservedDeployment } from '../../api/kube.ts';
import type { Epoch, Operation, Status } from '../../api/status.ts';
import { SCALE_GENERATION } from '../build/children.ts';
import { readConfFile } from '../build/flink-conf.ts';
import { parallelismOfConf, scaleOfSpec, type Scale } from '../build/features/parallelism.ts';
import type { Change } from '../change.ts';
import { parsePolicyDuration } from '../duration.ts';
import type { FlinkView } from '../flink-view.ts';
import { rememberedByObject } from '../memo.ts';
import type { EpochRecord } from '../record.ts';
import { conforms, fixedVertices, targetBounds, tooHigh, type Target } from '../rescale.ts';
import { parseTime } from '../time.ts';
import { epochOfDeployment } from './epoch.ts';
import type { FlinkFacts } from './flink.ts';

/**
 * Which way a change of scale takes. `none`: nothing to do with scale. `in-place`: the adaptive scheduler gets other bounds, of the same epoch.
 * `reactive`: Flink uses whatever TaskManagers there are. `upgrade`: a new epoch. `cooldown`: a new epoch, later. `impossible`: the
 * job goes on as it is until somebody decides.
 */
export type ScaleWay = 'none' | 'in-place' | 'reactive' | 'upgrade' | 'cooldown' | 'impossible';

/** What is known about the scale of the running epoch, and what is wanted. */
export type ScaleFacts = {
  readonly way: ScaleWay;
  /** Why this way and no other, for people. */
  readonly why: string;
  readonly wanted: Scale;
  /** Fields of the spec that differ in scale from the accepted one. */
  readonly fields: readonly string[];
  /** End of the cooldown, epoch milliseconds. */
  readonly until: number | undefined;
  /** The bounds that Flink is to have; `undefined` while Flink has not told those it has. */
  readonly target: Target | undefined;
  /** Flink says that the job runs as wanted, with all tasks. Never without its answer. */
  readonly reached: boolean;
  /** Whether Flink is to be asked for its bounds. */
  readonly asks: boolean;
  /** Whether the observed status has exactly this as what the epoch was, or is, to be rescaled to. */
  readonly recorded: boolean;
  /** Whether the observed status shows the intent to rescale to exactly this. */
  readonly intended: boolean;
};

/** How Flink schedules the jobs of an epoch. */
type Scheduler = 'default' | 'adaptive' | 'reactive';

const DEFAULT_COOLDOWN_MS = 5 * 60_000;

/** So many vertices with a parallelism of their own can be kept in status; a job graph with more is rescaled by an upgrade. */
const MOST_FIXED = 64;

/** What scale facts are made of. */
export type ScaleInput = {
  readonly record: EpochRecord | undefined;
  readonly wanted: FlinkJobSpec | undefined;
  readonly changes: readonly Change[];
  readonly epoch: Epoch | undefined;
  readonly deployed: number;
  /** Another spec than one of another scale is asked for: a suspension, a restore. Or none that is valid, and then nothing changes. */
  readonly otherwise: boolean;
  readonly operation: Operation | undefined;
  readonly prior: Partial<Status> | undefined;
  readonly taskManager: ObservedDeployment | undefined;
  readonly view: FlinkView;
  readonly flink: FlinkFacts;
  readonly now: number;
};

/** The scheduler of an epoch, by the configuration that it was rendered with (JobManagerOptions.SCHEDULER, SCHEDULER_MODE). */
export const schedulerOf = rememberedByObject((record: EpochRecord): Scheduler => {
  const conf = confOf(record);
  if (conf['scheduler-mode']?.trim().toLowerCase() === 'reactive') return 'reactive';
  return conf['jobmanager.scheduler']?.trim().toLowerCase() === 'adaptive' ? 'adaptive' : 'default';
});

const confOf = rememberedByObject((record: EpochRecord) =>
  readConfFile((record.children.configuration['data'] ?? {}) as Readonly<Record<string, string>>),
);

/** The generation of the spec by which the TaskManagers of an epoch were last rescaled in place, as their Deployment says. */
export function scaledByGeneration(taskManager: ObservedDeployment | undefined, epoch: number): number | undefined {
  if (epochOfDeployment(taskManager) !== epoch) return undefined;
  const generation = Number(taskManager?.metadata.annotations?.[SCALE_GENERATION]);
  return Number.isSafeInteger(generation) && generation > 0 ? generation : undefined;
}

/** Classifies what is asked for and what Flink says about it. */
export function scaleFacts(input: ScaleInput): ScaleFacts | undefined {
  const { record, wanted: spec, epoch, changes } = input;
  if (!record || !spec || !epoch) return undefined;
  const fields = changes.filter(({ effect }) => effect === 'scale').map(({ field }) => field);
  const wanted = scaleOfSpec(spec);
  const { operation } = input;
  const recorded = epoch.scale?.parallelism === wanted.parallelism && epoch.scale.taskManagers === wanted.taskManagers;
  const intended = operation?.kind === 'rescale' && recorded;
  const known = {
    wanted,
    fields,
    until: undefined,
    target: undefined,
    reached: false,
    asks: false,
    recorded,
    intended,
  };
  const byUpgrade = fields.length > 0 ? ('upgrade' as const) : ('none' as const);
  const live = !epoch.ended && input.deployed === epoch.number;
  const leaving = isLeaving(operation, schedulerOf(record));
  if (!live || leaving || input.otherwise || changes.some(({ effect }) => effect === 'upgrade'))
    return { ...known, way: byUpgrade, why: 'It comes with the next epoch.' };
  const scheduler = schedulerOf(record);
  const rescaled = epoch.scale !== undefined || scaledByGeneration(input.taskManager, epoch.number) !== undefined;
  if (fields.length === 0 && !rescaled) return { ...known, way: 'none', why: '' };
  if (scheduler === 'reactive') {
    const reached = input.flink.heard === 'answered';
    return { ...known, way: 'reactive', why: 'Reactive mode follows the TaskManagers.', reached };
  }
  // Where nothing ran there is nothing to rescale, and room to make; the adaptive scheduler rescales also what still waits for slots.
  const ran = epoch.ran === true || input.flink.anyTaskRan;
  if (!ran && scheduler === 'default')
    return { ...known, way: byUpgrade, why: 'No task of this epoch was seen running.' };
  if (wanted.taskManagers === 0) return { ...known, way: 'impossible', why: NO_TASK_MANAGERS };
  if (scheduler === 'adaptive') return { ...known, ...inPlace(input, record, epoch, wanted, byUpgrade) };
  return { ...known, ...restarted(input, spec, byUpgrade, 'The job does not run with the adaptive scheduler.') };
}

/** What was begun for another reason, which may be gone by now, is none to leave a job that can be rescaled in place. */
function isLeaving(operation: Operation | undefined, scheduler: Scheduler): boolean {
  if (operation === undefined || !['stop', 'cancel', 'delete'].includes(operation.kind)) return false;
  return operation.kind === 'delete' || operation.purpose === 'scale' || scheduler === 'default';
}

const NO_TASK_MANAGERS =
  'Without TaskManagers the job would fail for want of slots. To stop it with its state kept: spec.state: suspended.';

const FORGOTTEN =
  'The job was rescaled and status was wiped since: which of its vertices follow the parallelism is not known any more. A new spec.restartNonce starts it as the spec says.';

type Way = Partial<ScaleFacts> & Pick<ScaleFacts, 'way' | 'why'>;

function inPlace(
  input: ScaleInput,
  record: EpochRecord,
  epoch: Epoch,
  wanted: Scale,
  byUpgrade: 'upgrade' | 'none',
): Way {
  const { view, operation } = input;
  const why = 'The adaptive scheduler rescales it in place.';
  const asks = { asks: true };
  const otherwise = (reason: string): Way => ({
    ...restarted(input, input.wanted ?? record.spec, byUpgrade, reason),
    ...asks,
  });
  if (operation?.kind === 'rescale' && operation.result?.failure !== undefined)
    return otherwise(`Flink refuses to rescale it in place: ${operation.result.failure}.`);
  if (view.kind !== 'answered') return { way: 'in-place', why, ...asks };
  if (view.bounds.kind === 'absent') return otherwise(`Flink cannot rescale it in place: ${view.bounds.text}.`);
  if (view.bounds.kind !== 'value') return { way: 'in-place', why, ...asks };
  const started = parallelismOfConf(confOf(record));
  const past =
    byUpgrade === 'none' || scaledByGeneration(input.taskManager, epoch.number) ? 'forgotten' : 'never-rescaled';
  const fixed = epoch.scale
    ? (epoch.scale.fixed ?? [])
    : fixedVertices(view.bounds.value, started, wanted.parallelism, past);
  if (fixed === undefined && byUpgrade === 'none') return { way: 'impossible', why: FORGOTTEN, ...asks };
  if (fixed === undefined || fixed.length > MOST_FIXED)
    return otherwise('The parallelism of its vertices is set by the job itself.');
  const target = targetBounds(view.bounds.value, fixed, wanted.parallelism);
  const vertices = view.detail.kind === 'value' ? view.detail.value.vertices : [];
  const limit = tooHigh(target, vertices);
  if (limit !== undefined) return { way: 'impossible', why: limit, target, ...asks };
  const reached = target.differs ? false : conforms(target, vertices) && input.flink.allTasksRun;
  return { way: 'in-place', why, target, reached, ...asks };
}

/** A restart is needed: now, or when the cooldown since the last one is over (policies.scaleCooldown). */
function restarted(input: ScaleInput, spec: FlinkJobSpec, byUpgrade: 'upgrade' | 'none', why: string): Way {
  if (byUpgrade === 'none') return { way: 'none', why: '' };
  const last = parseTime(input.prior?.scaledAt);
  const cooldown = parsePolicyDuration(spec.policies?.scaleCooldown ?? '') ?? DEFAULT_COOLDOWN_MS;
  const until = last === undefined ? 0 : last + cooldown;
  return input.now < until ? { way: 'cooldown', why, until } : { way: 'upgrade', why };
}
