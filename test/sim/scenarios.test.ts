import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { STEPS } from '../../src/core/lifecycle/states.ts';
import { coverage, report, ruleNames } from './harness/coverage.ts';
import { apart } from './harness/apart.ts';
import { READS_PODS } from './harness/pods.ts';
import { scenarios } from './harness/scenario.ts';
import './scenarios/all.ts';

/** The scenarios of docs/lifecycle.md by number and name; the plans of test/sim/harness/plans.ts put a crash at every step of their flows. */

/** Each under one of the two apply strategies in turn; FLORK_SIM_STRATEGIES=both: under both. */
const both = process.env['FLORK_SIM_STRATEGIES'] === 'both';

describe('scenarios', { concurrency: 2 }, () => {
  for (const [index, name] of scenarios().entries()) {
    const strategies = (['dynamic-apply', 'server-side-apply'] as const).filter((_, at) => both || at === index % 2);
    test(name, async () => {
      await apart({ kind: 'scenario', name, strategies }, 2);
    });
  }
});

/** The scenario table of docs/lifecycle.md. */
const TABLE: readonly string[] = [
  'first start',
  'upgrade by each mode',
  'spec changes again during an upgrade',
  'spec reverted before the stop and after it',
  'suspend, change, resume',
  'deletion during each flow',
  'stop issued, answer lost',
  'stop done, JobManager gone before the path was recorded',
  'savepoint fails and job goes on',
  'savepoint done but job failed while stopping',
  'JobManager killed at each step of a stop',
  'JobManager killed without HA, twice',
  'bad image',
  'main() throws',
  'starts, then crash-loops after RUNNING: rollback',
  'job finishes during an upgrade',
  'job FAILED, then spec repaired',
  'HA metadata gone',
  'status wiped while the job runs',
  'child deleted or edited by hand',
  'old JobManager still answers on the Service',
  'foreign job id answers',
  'REST answers rubbish, or nothing',
  'Flork upgraded and rolled back with running jobs',
  'Metacontroller restarted, two at once, stale by three versions',
  'ConfigMap create refused by quota',
  'pods refused by Pod Security',
  'namespace terminating',
  'foreground deletion',
  'nonce bumped twice within one sync',
  'clock jumps',
  'hook outage of ten minutes',
  'many parents of which some hang',
  'bounded job finishes, its TTL passes, is deleted by its trigger',
  'in-place rescale up and down',
  'the batch job of the original',
  'deleted and created again while leftovers live',
  'paused and resumed',
  'checkpointing switched on only in main()',
];

/** What has no test here yet, and why. A number that is told here need not stand here. */
const OPEN: ReadonlyMap<number, string> = new Map();

test('every scenario of the table is told, by its number', (context) => {
  const told = new Set(scenarios().map((name) => Number.parseInt(name, 10)));
  const missing = TABLE.map((title, index) => [index + 1, title] as const).filter(([number]) => !told.has(number));
  for (const [number, title] of missing) context.diagnostic(`open: ${number} ${title}: ${OPEN.get(number) ?? '?'}`);
  assert.deepEqual(
    missing.filter(([number]) => !OPEN.has(number)),
    [],
  );
});

/** Rules that answer what these scenarios do not show; each names the test that does. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['deleteWaitsForPods', 'unit/core/duties: in a foreground deletion the metadata goes when the pods are gone'],
  ['cancelLostItsProcess', 'unit/core/lifecycle/leave: nothing is on record'],
  ['nothingToGoOnFrom', 'unit/core/lifecycle/end: one that left no snapshot is not started empty'],
  ['declareAgain', 'unit/core/lifecycle/upgrade: a declared epoch whose record is not there'],
  ['rollbackReplaces', 'unit/core/lifecycle/rollback: an epoch that never ran makes room for the last stable one'],
  ['nextWaitsForValidSpec', 'unit/core/lifecycle/upgrade: a stopped job waits for a valid spec'],
]);

/** Steps that are none: what they come from. */
const LATE: ReadonlyMap<string, string> = new Map([
  ['Deleting → Running', 'a view of status that is older than the deletion'],
  ['Running → Deploying', 'a JobManager scaled by hand, or a view older than the first time that all tasks ran'],
  ['Suspended → Stopping', 'pods that appear again beside a suspended job, until they are gone'],
]);

after(() => {
  console.log(report());
  // Which moments a scenario meets hangs on when Metacontroller calls: what follows is asked of the pods that it shows.
  if (READS_PODS) return;
  const missed = ruleNames().filter((name) => !coverage.rules.has(name) && !ELSEWHERE.has(name));
  assert.deepEqual(missed, [], 'every rule answers somewhere');
  const drawn = STEPS.map(({ from, to }) => `${from} → ${to}`);
  const taken = [...coverage.steps.keys()].filter(
    (step) => !/^Stalled|Stalled$|Deleting$/.test(step) && !LATE.has(step),
  );
  assert.deepEqual(
    taken.toSorted(),
    drawn.toSorted(),
    'the states of a job are as src/core/lifecycle/states.ts draws them',
  );
});
