import { approvalToken } from '../build/names.ts';
import { renderEpoch } from '../build/epoch.ts';
import type { Facts } from '../facts/facts.ts';
import { mayHaveRunBefore } from '../facts/process.ts';
import { schedulerOf } from '../facts/scale.ts';
import { candidates, ownDirectory, recordedCheckpoint } from './snapshots.ts';

/**
 * The state-loss contract (lifecycle.md): by which mode a running job is left, resolved from the job itself, and when a job may
 * start empty. Unknown is never no: what is not positively known holds.
 */
export type Mode = 'savepoint' | 'last-state' | 'stateless' | 'unknown';

/**
 * Resolves the mode: said by the spec; a savepoint directory in the running or the new configuration; Flink's own answer about
 * checkpoints; where it gives none, a checkpoint of this very epoch that is on record.
 */
export function resolveMode(facts: Facts): Mode {
  const said = facts.wanted?.policies?.upgrade?.mode;
  // Nobody asked for a job that is unwell to lose its state: stateless is for changes.
  const unasked = facts.healthWanted && !facts.changeWanted;
  if (said !== undefined && !(said === 'stateless' && unasked)) return said;
  if (savepointDirectory(facts) !== undefined) return 'savepoint';
  const { view } = facts;
  if (view.kind === 'answered' && view.checkpointConfig.kind === 'value')
    return view.checkpointConfig.value.enabled ? 'last-state' : 'stateless';
  return recordedCheckpoint(facts) === undefined ? 'unknown' : 'last-state';
}

/** The savepoint directory of the wanted configuration, rendered by the same code as an epoch. */
function newSavepointDirectory(facts: Facts): string | undefined {
  if (!facts.wanted || facts.upgrades.length === 0 || facts.input.job.spec.kind !== 'valid') return undefined;
  return renderEpoch({
    ref: facts.input.job.ref,
    number: 1,
    generation: 0,
    spec: facts.wanted,
    handled: {},
    platform: facts.input.platform,
  }).savepointDirectory;
}

/** Where the savepoint of a stop goes: the running configuration's directory, else the new one's. */
export function savepointDirectory(facts: Facts): string | undefined {
  return facts.record?.savepointDirectory ?? newSavepointDirectory(facts);
}

/** Whether the user lets this epoch's state go: by policy, or by the token that was printed for exactly this epoch. */
export function lossAllowed(facts: Facts): boolean {
  return stateLossPolicy(facts) === 'allow' || lossApproved(facts);
}

/** Whether the token is given that was printed for exactly this epoch. */
export function lossApproved(facts: Facts): boolean {
  const { epoch, wanted, input } = facts;
  return (
    stateLossPolicy(facts) === 'ask' &&
    epoch !== undefined &&
    wanted?.approveStateLoss === approvalToken(input.job.ref.uid, epoch.number)
  );
}

function stateLossPolicy(facts: Facts): 'never' | 'ask' | 'allow' {
  return facts.wanted?.policies?.stateLoss ?? 'ask';
}

/**
 * Whether the next epoch may start empty where no snapshot is known: its mode is stateless, Flink has said that periodic
 * checkpointing is off (nothing is kept that could be lost), or the user lets the state go.
 */
export function mayStartEmpty(facts: Facts): boolean {
  return facts.wanted?.policies?.upgrade?.mode === 'stateless' || checkpointingOff(facts) || lossAllowed(facts);
}

/** Flink has said that periodic checkpointing is off: nothing is kept that could be lost. */
export function checkpointingOff(facts: Facts): boolean {
  const { view } = facts;
  return view.kind === 'answered' && view.checkpointConfig.kind === 'value' && !view.checkpointConfig.value.enabled;
}

/**
 * Whether no task of this epoch ever ran, proven: no JobManager container started; or every one that did ended before it could run
 * a job (exit code 1: StandaloneApplicationClusterEntryPoint could not start); or the one that lives says so by REST. With the adaptive
 * scheduler CREATED says nothing: a job that ran is CREATED again whenever it waits for slots, with no trace of having run
 * (AdaptiveScheduler.getArchivedExecutionGraph makes a sparse graph).
 */
export function neverRan(facts: Facts): boolean {
  const { epoch, process, flink } = facts;
  if (!epoch || epoch.ran === true || flink.anyTaskRan || mayHaveRunBefore(epoch.process, epoch.idle, process))
    return false;
  if (process.kind === 'none') return epoch.process === undefined || epoch.process === epoch.idle;
  // Of several JobManagers any may have led, and be gone without a trace.
  if (facts.standbys) return false;
  if (process.kind === 'dead')
    return (
      process.exitCode === 1 &&
      (epoch.process === undefined || epoch.process === process.id || epoch.process === epoch.idle)
    );
  const earlierIdle =
    epoch.process === undefined ||
    epoch.process === epoch.idle ||
    (process.kind === 'running' && epoch.process === process.id);
  if (!earlierIdle || flink.heard !== 'answered' || !flink.timely || flink.foreign) return false;
  const untouched = looksIdle(facts) ? ['INITIALIZING', 'CREATED', 'FAILED'] : ['INITIALIZING'];
  return flink.job === undefined || untouched.includes(flink.job.state);
}

/** Whether a job that shows no trace of having run did not run: not with the adaptive scheduler, unless main() built no graph at all. */
function looksIdle({ record, view }: Facts): boolean {
  if (!record || schedulerOf(record) === 'default') return true;
  return view.kind === 'answered' && view.detail.kind === 'value' && view.detail.value.vertices.length === 0;
}

/** The ways out of a hold, ready to paste. */
export function waysOut(facts: Facts): string {
  const { epoch, input } = facts;
  if (stateLossPolicy(facts) === 'never' || !epoch) return restoreWay(facts);
  return `${restoreWay(facts)} To go on without it, from the newest that is known or else empty: spec.approveStateLoss: "${approvalToken(input.job.ref.uid, epoch.number)}".`;
}

/** The snapshots that are known, and how to start from one, ready to paste. */
export function restoreWay(facts: Facts): string {
  const known = candidates(facts);
  const own = ownDirectory(facts);
  const place = own ? `Savepoints of this FlinkJob lie below ${own}. ` : '';
  const list = `${known.length > 0 ? `Known snapshots: ${known.join('; ')}. ` : 'No snapshot is known. '}${place}`;
  const nonce = (facts.wanted?.restore?.nonce ?? 0) + 1;
  return `${list}To start from one: spec.restore {from: <path>, nonce: ${nonce}}.`;
}
