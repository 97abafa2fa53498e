import * as v from 'valibot';
import { Status } from '../api/status.ts';
import type { Clock } from '../sim/models/clock.ts';
import type { FlinkEvent } from '../sim/models/flink/events.ts';
import type { Job } from '../sim/models/flink/job.ts';
import { refOf, tree, type KubeObject } from '../sim/models/objects.ts';
import { NAMESPACE, type World } from '../sim/world.ts';

/** What the demo does to a job, and what it looks at. */
export type Story = ReturnType<typeof createStory>;

export type StoryOptions = {
  readonly world: World;
  readonly clock: Clock;
  readonly job: KubeObject;
  readonly events: readonly FlinkEvent[];
  readonly say: (mark: string, line: string) => void;
};

const Told = v.partial(v.pick(Status, ['state', 'epoch', 'conditions', 'operation']));
const KINDS = ['ConfigMap', 'Service', 'Deployment', 'Pod'];

export function createStory({ world, clock, job, events, say }: StoryOptions) {
  const ref = refOf(job);
  const { api } = world;
  let marker = 0;
  const live = (): KubeObject | undefined => api.get(ref);
  const status = (): v.InferOutput<typeof Told> => {
    const parsed = v.safeParse(Told, live()?.['status'] ?? {});
    return parsed.success ? parsed.output : {};
  };
  const ready = (): boolean => {
    const found = status().conditions?.find((condition) => condition.type === 'Ready');
    return found?.status === 'True' && found.observedGeneration === live()?.metadata.generation;
  };
  const flinkJob = (): Job | undefined => world.runtime.jobManagers()[0]?.job();
  const change = (next: (spec: ReturnType<typeof tree>) => object): void => {
    const current = live();
    if (current === undefined) return;
    const written = api.update('user', { ...current, spec: next(tree(current['spec'])) });
    if (written.kind === 'refused') throw new Error(`the API server refuses the change: ${written.message}`);
  };
  const since = (): readonly FlinkEvent[] => events.slice(marker);
  const lastRestored = (): Extract<FlinkEvent, { kind: 'restored' }> | undefined =>
    events.findLast((event) => event.kind === 'restored');
  const newestSavepoint = (): number =>
    events.findLast((event): event is Extract<FlinkEvent, { kind: 'savepoint' }> => event.kind === 'savepoint')
      ?.counter ?? -1;

  return {
    apply: async (): Promise<void> => {
      say('▶', `kubectl apply: FlinkJob ${ref.name}`);
      const made = api.create('user', job);
      if (made.kind === 'refused') throw new Error(`the API server refuses the FlinkJob: ${made.message}`);
    },
    announce: (what: string): void => {
      marker = events.length;
      say('▶', what);
    },
    edit: (key: string, value: string): void =>
      change((spec) => ({ ...spec, flinkConf: { ...tree(spec['flinkConf']), [key]: value } })),
    setState: (state: 'running' | 'suspended'): void => change((spec) => ({ ...spec, state })),
    remove: (): void => void api.remove('user', ref),
    kill: (): void => {
      const uid = world.runtime.jobManagers()[0]?.info.podUid;
      const pod = api.list('Pod', NAMESPACE).find((one) => one.metadata.uid === uid);
      if (pod !== undefined) world.kubelet.kill(pod);
    },
    /** Waits for a claim, in seconds of the modelled world. */
    reach: async (what: string, claim: () => boolean, limitSeconds: number): Promise<void> => {
      const deadline = clock.now() + limitSeconds * 1000;
      while (!claim()) {
        if (clock.now() > deadline)
          throw new Error(`not within ${limitSeconds} s: ${what}; ${JSON.stringify(status().state)}`);
        // oxlint-disable-next-line no-await-in-loop -- waiting is the point
        await clock.sleep(100);
      }
      const running = flinkJob();
      say('✓', `${what}${running === undefined ? '' : ` (count ${running.counter()})`}`);
    },
    promise: (what: string, kept: boolean): void => {
      if (!kept) throw new Error(`promised, and not so: ${what}`);
      say('✓', what);
    },
    epoch: (): number => status().epoch?.number ?? 0,
    count: (): number => flinkJob()?.counter() ?? 0,
    isRunning: (): boolean => ready() && status().state === 'Running' && flinkJob()?.tasksRunning() === true,
    isSuspended: (): boolean => ready() && status().state === 'Suspended' && api.list('Pod', NAMESPACE).length === 0,
    isGone: (): boolean => live() === undefined && KINDS.every((kind) => api.list(kind).length === 0),
    /** The restore ConfigMap names a checkpoint. */
    hasRecorded: (): boolean =>
      api
        .list('ConfigMap', NAMESPACE)
        .some((one) => one.metadata.name.includes('-restore-') && JSON.stringify(one['data']).includes('/chk-')),
    restored: (): boolean => since().some((event) => event.kind === 'restored'),
    restoredCount: (): number => lastRestored()?.counter ?? -1,
    newestSavepoint,
    wentOnFromSavepoint: (): boolean => lastRestored()?.counter === newestSavepoint(),
  };
}
