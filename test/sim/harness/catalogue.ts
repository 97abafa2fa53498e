import type { KubeObject } from '../../../src/sim/models/objects.ts';
import { statusOf } from './checker.ts';
import {
  aged,
  epochOf,
  haMetadata,
  hasScale,
  isReady,
  jobOf,
  killJobManager,
  LIMIT_MS,
  podNames,
  reachRunning,
  remove,
  runsNewest,
  start,
  stateOf,
  suspend,
  upgrade,
} from './flows.ts';
import type { History } from './history.ts';
import { adaptive, highlyAvailable, reconfigured, SPEC, stateless, withPolicies, type Spec } from './sample.ts';

/** The flows whose every effect is crashed and whose every status is shown stale: a prelude, then the flow itself. */
export type Flow = {
  readonly name: string;
  /** Of a core flow every crash, lost answer and stale view is run in each `npm test`; of the others a share. */
  readonly core?: boolean;
  /** How much of that share: less than 1 for a flow that is long. */
  readonly part?: number;
  readonly prelude: (h: History) => Promise<void>;
  readonly body: (h: History) => Promise<void>;
};

const nothing = (): Promise<void> => Promise.resolve();
const started = (h: History): Promise<void> => start(h);

export const FLOWS: readonly Flow[] = [
  { name: 'start', core: true, prelude: nothing, body: started },
  {
    name: 'upgrade with a savepoint',
    core: true,
    prelude: started,
    body: (h) => upgrade(h, reconfigured(SPEC, '64')),
  },
  {
    name: 'upgrade stateless',
    core: true,
    prelude: started,
    body: async (h) => {
      await upgrade(h, reconfigured(stateless(SPEC), '64'));
    },
  },
  {
    name: 'suspend and resume',
    core: true,
    prelude: started,
    body: (h) => suspendAndResume(h, SPEC),
  },
  {
    name: 'recovery of a killed JobManager',
    core: true,
    prelude: async (h) => {
      await start(h);
      await h.run(25_000);
    },
    body: async (h) => {
      killJobManager(h);
      await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
      await reachRunning(h, 'recovered');
    },
  },
  {
    name: 'finish',
    core: true,
    prelude: nothing,
    body: async (h) => {
      h.apply({ ...SPEC, jobArgs: ['--bounded-ms', '8000'] });
      await h.until(() => isReady(h, 'Finished') && podNames(h).length === 0, LIMIT_MS, 'finished, and no pod is left');
    },
  },
  {
    name: 'rescale in place',
    prelude: async (h) => {
      await start(h, adaptive(SPEC, 1));
      await h.run(12_000);
    },
    body: async (h) => {
      for (const replicas of [2, 1]) {
        h.apply(adaptive(SPEC, replicas));
        // oxlint-disable-next-line no-await-in-loop -- up, then down
        await h.until(
          () => isReady(h) && runsNewest(h) && hasScale(h, replicas),
          LIMIT_MS,
          `rescaled to ${replicas} TaskManagers`,
        );
      }
      if (epochOf(h) !== 1) h.fail('rescale', 'it took another epoch');
    },
  },
  { name: 'delete', core: true, prelude: started, body: remove },
  {
    name: 'a savepoint on request, and the removal of the one before it',
    prelude: async (h) => {
      await start(h, keepingOne());
      await savepoint(h, 1);
      // Until a newer checkpoint is what the next process would start from.
      await h.run(70_000);
    },
    body: async (h) => {
      await savepoint(h, 2);
      await h.until(() => historyOf(h).length === 1 && isQuiet(h), LIMIT_MS, 'the one before it is removed');
      if (h.ledger.savepoints(h.job()?.metadata.uid ?? '') !== 2) h.fail('S1', 'more than one savepoint for a request');
      const left = h.world.storage.all().filter(({ kind }) => kind === 'savepoint');
      if (left.length !== 1) h.fail('retention', `${left.length} savepoints are left`);
    },
  },
  {
    name: 'delete with a savepoint',
    prelude: (h) => start(h, { ...SPEC, policies: { ...(SPEC['policies'] as object), deletion: { savepoint: true } } }),
    body: async (h) => {
      await remove(h);
      const left = h.world.storage.all().filter(({ kind }) => kind === 'savepoint');
      if (left.length !== 1) h.fail('S1', `${left.length} savepoints for one deletion`);
    },
  },
  {
    name: 'upgrade by last-state',
    prelude: (h) => aged(h, LAST_STATE),
    body: (h) => upgrade(h, reconfigured(LAST_STATE, '64')),
  },
  {
    name: 'suspend and resume by last-state',
    prelude: (h) => aged(h, LAST_STATE),
    body: (h) => suspendAndResume(h, LAST_STATE),
  },
  {
    name: 'restartNonce',
    prelude: started,
    body: (h) => upgrade(h, { ...SPEC, restartNonce: 1 }),
  },
  {
    name: 'upgrade with high availability',
    prelude: (h) => aged(h, HA),
    body: (h) => upgrade(h, reconfigured(HA, '64')),
  },
  {
    name: 'upgrade by last-state with high availability and a standby',
    prelude: (h) => aged(h, STANDBY),
    body: (h) => upgrade(h, reconfigured(STANDBY, '64')),
  },
  {
    name: 'upgrade with high availability, and its metadata is cleaned',
    prelude: async (h) => {
      h.controls.duties = ['clean-high-availability', 'events'];
      await aged(h, HA);
    },
    body: async (h) => {
      const before = haMetadata(h);
      await upgrade(h, reconfigured(HA, '64'));
      await h.until(() => !haMetadata(h).some((name) => before.includes(name)), LIMIT_MS, 'the old metadata is gone');
    },
  },
  {
    name: 'restart of a job that failed for good',
    prelude: (h) => start(h, FAILING),
    body: (h) => h.until(() => epochOf(h) > 1 && isReady(h), LIMIT_MS, 'deployed anew'),
  },
  {
    name: 'another spec for a finished job',
    prelude: async (h) => {
      h.apply(FINISHING);
      await h.until(() => isReady(h, 'Finished') && podNames(h).length === 0, LIMIT_MS, 'finished');
    },
    body: async (h) => {
      h.apply(reconfigured(FINISHING, '64'));
      await h.until(
        () => epochOf(h) > 1 && isReady(h, 'Finished') && podNames(h).length === 0,
        LIMIT_MS,
        'finished a second time',
      );
    },
  },
  {
    name: 'a step back from a recorded checkpoint that is gone',
    prelude: async (h) => {
      await start(h);
      await h.run(15_000);
      await upgrade(h, reconfigured(SPEC, '64'));
      await h.run(30_000);
    },
    body: async (h) => {
      for (const { path, kind } of h.world.storage.all()) if (kind === 'checkpoint') h.world.storage.remove(path);
      killJobManager(h);
      await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
      await reachRunning(h, 'running from the savepoint');
    },
  },
  {
    name: 'rollback',
    part: 0.5,
    prelude: (h) => aged(h, ROLLED_BACK),
    body: async (h) => {
      h.apply({ ...reconfigured(ROLLED_BACK, '64'), jobArgs: ['--fail-over-ms', '10'] });
      await h.until(() => stateOf(h) === 'RolledBack' && isQuiet(h), LIMIT_MS, 'rolled back');
    },
  },
];

const ROLLED_BACK = withPolicies(SPEC, { upgrade: { rollback: 'automatic', readiness: '20s' } });
const LAST_STATE = withPolicies(SPEC, { upgrade: { mode: 'last-state' } });
const HA = highlyAvailable(SPEC);
const STANDBY = highlyAvailable(LAST_STATE, 2);
const FAILING: Spec = {
  ...withPolicies(SPEC, { restart: { failed: 'fromLastSnapshot' } }),
  jobArgs: ['--fail-after-ms', '25000'],
};
const FINISHING: Spec = {
  ...withPolicies(SPEC, { restart: { finished: 'onSpecChange' } }),
  jobArgs: ['--bounded-ms', '8000'],
};

async function suspendAndResume(h: History, spec: Spec): Promise<void> {
  await suspend(h, spec);
  h.apply(spec);
  await reachRunning(h, 'resumed');
}

function keepingOne(): Spec {
  return { ...SPEC, policies: { savepoint: { directory: 'file:///data/savepoints', history: { count: 1 } } } };
}

async function savepoint(h: History, nonce: number): Promise<void> {
  h.apply({ ...keepingOne(), savepointNonce: nonce });
  const taken = (): boolean => statusOf(h.job() as KubeObject).handled?.savepointNonce === nonce;
  await h.until(() => taken() && isQuiet(h), LIMIT_MS, `savepoint ${nonce} is taken`);
}

function historyOf(h: History): readonly unknown[] {
  return statusOf(h.job() as KubeObject).snapshots?.history ?? [];
}

function isQuiet(h: History): boolean {
  return statusOf(h.job() as KubeObject).operation === undefined;
}
