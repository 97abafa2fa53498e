import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { Status } from '../../src/api/status.ts';
import { reconcile } from '../../src/core/reconcile.ts';
import { JOB_STATES, type JobState } from '../../src/core/flink-view.ts';
import type { Input, Outcome } from '../../src/core/types.ts';
import {
  answered,
  apply,
  checkpoint,
  cluster,
  edit,
  inputOf,
  jobManagerPod,
  NOT_ASKED,
  SPEC,
  sync,
  UNREACHABLE,
  type Shown,
} from '../unit/core/drive.ts';

/**
 * Random walks: at each step the hook is shown anything that pods, Flink and a lagging cache can show, also what no sane cluster
 * would. Whatever it is shown, the invariants of lifecycle.md hold of the answer.
 */
type Step = {
  readonly flink: 'not-asked' | 'unreachable' | JobState | 'foreign';
  readonly trigger: 'absent' | 'in-progress' | 'completed' | 'failed';
  readonly pods: 'none' | 'unknown' | 'running' | 'dead' | 'leaving';
  readonly restarts: number;
  readonly status: 'last' | 'older' | 'wiped';
  readonly edit: 'no' | 'args' | 'suspend' | 'resume' | 'restore' | 'invalid' | 'stateless' | 'allow';
  readonly seconds: number;
  readonly deleted: boolean;
};

const likely = <T>(first: T, rest: readonly T[], weight = 5) =>
  fc.oneof({ weight, arbitrary: fc.constant(first) }, { weight: 3, arbitrary: fc.constantFrom(...rest) });

const step: fc.Arbitrary<Step> = fc.record({
  flink: likely<Step['flink']>('RUNNING', ['not-asked', 'unreachable', 'foreign', ...JOB_STATES]),
  trigger: fc.constantFrom<Step['trigger'][]>('absent', 'in-progress', 'completed', 'failed'),
  pods: likely<Step['pods']>('running', ['none', 'unknown', 'dead', 'leaving']),
  restarts: fc.nat(2),
  status: likely<Step['status']>('last', ['older', 'wiped'], 8),
  edit: likely<Step['edit']>('no', ['args', 'suspend', 'resume', 'restore', 'invalid', 'stateless', 'allow'], 8),
  seconds: fc.constantFrom(0, 1, 30, 400),
  deleted: fc.constant(false),
});

type World = ReturnType<typeof cluster>;

function change(at: World, kind: Step['edit'], count: number): void {
  const edits: Record<Exclude<Step['edit'], 'no'>, Record<string, unknown>> = {
    args: { jobArgs: [String(count)], parallelism: 1 },
    suspend: { state: 'suspended' },
    resume: { state: 'running' },
    restore: { restore: { from: 'file:///given', nonce: count } },
    invalid: { parallelism: 0 },
    stateless: { policies: { upgrade: { mode: 'stateless' } }, parallelism: 1 },
    allow: { policies: { stateLoss: 'allow' }, parallelism: 1 },
  };
  if (kind !== 'no') edit(at, edits[kind]);
}

function shownOf(
  at: World,
  { flink, trigger, pods, restarts, status, deleted }: Step,
  past: readonly (Status | undefined)[],
): Shown {
  const epoch = at.status?.epoch;
  const id = flink === 'foreign' ? 'f'.repeat(32) : (epoch?.jobId ?? '0'.repeat(32));
  const path = `file:///state/savepoints/team-wordcount-b7e23ec2-9af1-4b0e-8f5e-000000000001/${epoch?.attempt ?? 1}/savepoint-1`;
  const triggers = {
    absent: 'absent',
    'in-progress': { kind: 'in-progress' },
    completed: { kind: 'completed', path },
    failed: { kind: 'failed', text: 'no', path: undefined },
  } as const;
  const terminated = {
    terminated: { exitCode: restarts === 0 ? 1 : 137, reason: 'Error', message: '', startedAt: '', finishedAt: '' },
  };
  const pod = {
    none: [],
    unknown: undefined,
    running: [jobManagerPod(epoch?.number ?? 1, restarts)],
    dead: [jobManagerPod(epoch?.number ?? 1, restarts, terminated)],
    leaving: [
      jobManagerPod(
        epoch?.number ?? 1,
        restarts,
        { running: { startedAt: '' } },
        { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
      ),
    ],
  }[pods];
  return {
    pods: pod,
    flink:
      flink === 'not-asked'
        ? NOT_ASKED
        : flink === 'unreachable'
          ? UNREACHABLE
          : answered(id, flink === 'foreign' ? 'RUNNING' : flink, {
              trigger: triggers[trigger],
              checkpoints: { completed: 1, latestCompleted: checkpoint(1, 'file:///c/chk-1', 1000) },
            }),
    ...(status === 'last' ? {} : { status: status === 'wiped' ? undefined : past.at(-2) }),
    ...(deleted ? { deleted, finalizing: true } : {}),
  };
}

function judge(input: Input, outcome: Outcome): void {
  assert.deepEqual(JSON.stringify(reconcile(input)), JSON.stringify(outcome), 'same input, same bytes (S6)');
  if (outcome.retryAfterSeconds !== undefined) return;
  v.parse(v.strictObject(Status.entries), outcome.status);
  assert.ok(JSON.stringify(outcome.status).length < 16 * 1024, 'status stays small');
  conditionsHold(outcome, input.job.generation);
  childrenHold(input, outcome);
  if (input.flink.kind !== 'answered') assert.deepEqual(outcome.commands, [], 'nothing is asked of silence');
  if (!input.job.status?.operation) assert.deepEqual(outcome.commands, [], 'no act before its intent is observed');
  assert.equal(outcome.finalized && !input.finalizing, false);
}

function conditionsHold(outcome: Outcome, generation: number): void {
  const held = (type: string) =>
    outcome.status.conditions.some((condition) => condition.type === type && condition.status === 'True');
  assert.equal(
    [held('Ready'), held('Reconciling'), held('Stalled')].filter(Boolean).length,
    1,
    'exactly one of Ready, Reconciling, Stalled',
  );
  assert.ok(
    outcome.status.conditions.every(
      (condition) => condition.observedGeneration <= generation && condition.message !== '',
    ),
  );
}

function childrenHold({ job, observed, finalizing, flink, now }: Input, outcome: Outcome): void {
  const replicas = (name: string) =>
    (
      outcome.children.find((child) => child.kind === 'Deployment' && child.metadata.name === name)?.['spec'] as
        | { replicas?: number }
        | undefined
    )?.replicas;
  const before = observed.deployments.get('wordcount-jobmanager')?.replicas;
  const after = replicas('wordcount-jobmanager');
  const ended = job.status?.epoch?.ended;
  const known =
    (job.status?.epoch?.number ?? 0) >
    Number(observed.deployments.get('wordcount-jobmanager')?.metadata.annotations?.['flork.itom.com/epoch'] ?? 0);
  if (before === 1 && after !== 1 && !finalizing)
    assert.ok(ended || known, `a JobManager went without its end in status (S3): ${outcome.rule}`);
  if (before === 0 && after === 1) {
    assert.ok(
      observed.pods === undefined || observed.pods.length === 0,
      `a JobManager was started beside a pod (S2): ${outcome.rule}`,
    );
    assert.ok(observed.pods !== undefined, 'unknown is not absent (S9)');
  }
  if (flink.kind === 'unreachable' && before === 1 && !finalizing && !known) {
    assert.ok(
      after === 1 || (ended && (ended.how !== 'stopped' || ended.path)),
      `stopped on silence: ${outcome.rule} at ${now}`,
    );
  }
  if (!finalizing) {
    for (const name of observed.deployments.keys())
      assert.notEqual(replicas(name), undefined, `child lost: ${name} by ${outcome.rule}`);
    for (const name of observed.services.keys())
      assert.ok(
        outcome.children.some((child) => child.kind === 'Service' && child.metadata.name === name),
        `child lost: ${name}`,
      );
  }
  assert.ok(
    outcome.children.every(
      (child) => child.metadata.namespace === 'team' && child.metadata.name.startsWith('wordcount-'),
    ),
    'only own names (S7)',
  );
}

test('whatever is shown, the invariants hold of every answer', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(3), (steps, deletion) => {
      const at = cluster(SPEC);
      const past: (Status | undefined)[] = [];
      for (const [index, one] of steps.entries()) {
        change(at, one.edit, index);
        at.now += one.seconds * 1000;
        const input = inputOf(at, shownOf(at, { ...one, deleted: deletion === 0 && index > steps.length - 5 }, past));
        const outcome = reconcile(input);
        judge(input, outcome);
        past.push(at.status);
        apply(at, outcome);
      }
    }),
    { numRuns: 150 },
  );
});

test('a settled answer, applied, is answered again unchanged', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 15 }), (steps) => {
      const at = cluster(SPEC);
      const past: (Status | undefined)[] = [];
      for (const [index, one] of steps.entries()) {
        change(at, one.edit === 'invalid' ? 'no' : one.edit, index);
        sync(at, shownOf(at, one, past));
        past.push(at.status);
      }
      const last = { ...steps.at(-1), status: 'last', edit: 'no', trigger: 'completed' } as Step;
      const bytes: string[] = [];
      for (let count = 0; count < 12; count += 1) {
        at.now += 400_000;
        const shown = {
          ...shownOf(at, last, past),
          ...(last.pods === 'running' && at.status?.epoch?.ended ? { pods: [], flink: NOT_ASKED } : {}),
        };
        const outcome = sync(at, shown);
        bytes.push(
          outcome.retryAfterSeconds === undefined
            ? JSON.stringify([outcome.children, outcome.status])
            : 'show me again',
        );
      }
      const changes = bytes.filter((text, index) => index > 8 && text !== bytes[index - 1]).length;
      const retrying = at.status?.conditions.some((condition) => condition.reason === 'SavepointFailed') ?? false;
      assert.ok(changes === 0 || retrying, 'the same world brings the same answer');
    }),
    { numRuns: 100 },
  );
});
