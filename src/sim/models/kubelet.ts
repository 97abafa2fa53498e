import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject, Tree } from './objects.ts';
import type { Random } from './random.ts';
import { containerEnv, expand, mountedFiles } from './pod-config.ts';
import { at, equal, list, numberAt, refOf, text, timestamp, tree } from './objects.ts';

/**
 * Scheduler and kubelet for the first container of each pod:
 *
 *   Pending ─► (unschedulable) ─► ContainerCreating ─► (pull, config errors) ─► running ─► exited ─► CrashLoopBackOff ─► running …
 *
 * The env of a container is read from the ConfigMaps in force at each start, as the kubelet does.
 */
export type Kubelet = {
  /** Kills the container's process as `kill -9` would. */
  readonly kill: (pod: KubeObject, reason?: 'OOMKilled') => void;
  /** From now on this pod's node is lost: nothing terminates, nothing is reported. */
  readonly loseNode: (pod: KubeObject) => void;
};

/** What runs in a container. */
export type Runtime = {
  readonly start: (start: ContainerStart) => Process;
};
export type ContainerStart = {
  readonly pod: KubeObject;
  readonly restartCount: number;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Mounted files by absolute path. */
  readonly files: Readonly<Record<string, string>>;
  readonly exit: (code: number, message: string) => void;
};
export type Process = {
  /** SIGTERM; the process calls `exit` when it is done. */
  readonly terminate: () => void;
  readonly kill: () => void;
  /** Its node lost the network: it goes on, but reaches no API server. */
  readonly cutOff?: () => void;
  /** Whether its REST port answers, for readiness probes. */
  readonly listening: () => boolean;
};

export type KubeletOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: Runtime;
  readonly pulls: (image: string) => boolean;
  readonly schedulable: (pod: KubeObject) => boolean;
};

type Container = {
  pod: KubeObject;
  process: Process | undefined;
  restartCount: number;
  backOffMs: number;
  startedAt: number | undefined;
  state: Tree;
  lastState: Tree;
  ready: boolean;
  scheduled: boolean;
  lost: boolean;
  ended: boolean;
};

const ACTOR = 'kubelet';

export function startKubelet(options: KubeletOptions): Kubelet {
  const { api, clock, random } = options;
  const containers = new Map<string, Container>();

  const report = (container: Container): void => {
    const live = api.get(refOf(container.pod));
    if (container.lost || live === undefined || live.metadata.uid !== container.pod.metadata.uid) return;
    const status = podStatus(container, live, clock.now());
    if (!equal(live['status'], status)) api.updateStatus(ACTOR, { ...live, status });
  };
  const wait = (container: Container, reason: string, message: string): void => {
    container.state = { waiting: { reason, message } };
    report(container);
  };
  const leaving = (container: Container): boolean =>
    container.ended || container.lost || api.get(refOf(container.pod))?.metadata.deletionTimestamp !== undefined;

  const schedule = (container: Container): void => {
    if (leaving(container)) return;
    if (!options.schedulable(container.pod)) {
      report(container);
      clock.after(2_000, () => schedule(container));
      return;
    }
    container.scheduled = true;
    wait(container, 'ContainerCreating', '');
    clock.after(random.between(100, 500), () => begin(container));
  };

  /** Pulls, reads the configuration and starts; tries again as the kubelet does. */
  const begin = (container: Container): void => {
    if (leaving(container) || container.process !== undefined) return;
    const main = mainContainer(container.pod);
    if (!options.pulls(text(main['image']))) {
      const pulling = text(at(container.state, 'waiting', 'reason')) === 'ErrImagePull';
      wait(container, pulling ? 'ImagePullBackOff' : 'ErrImagePull', `failed to pull image "${text(main['image'])}"`);
      clock.after(5_000, () => begin(container));
      return;
    }
    const files = mountedFiles(api, container.pod, main);
    if (files.kind === 'missing') {
      wait(container, 'ContainerCreating', '');
      clock.after(2_000, () => begin(container));
      return;
    }
    const env = containerEnv(api, container.pod, main);
    if (env.kind === 'missing') {
      wait(container, 'CreateContainerConfigError', env.message);
      clock.after(random.between(3_000, 8_000), () => begin(container));
      return;
    }
    const args = [...list(main['command']), ...list(main['args'])].map((item) => expand(text(item), env.env));
    // Counted as its container is made (kuberuntime startContainer): a back-off still shows the number of the one that ended.
    if (container.startedAt !== undefined) container.restartCount++;
    container.startedAt = clock.now();
    container.state = { running: { startedAt: timestamp(clock.now()) } };
    container.process = options.runtime.start({
      pod: container.pod,
      restartCount: container.restartCount,
      command: args,
      env: env.env,
      files: files.files,
      exit: (code, message) => exited(container, code, message),
    });
    container.ready = false;
    report(container);
    probe(container, container.restartCount, main['readinessProbe'] !== undefined);
  };

  const probe = (container: Container, restartCount: number, probed: boolean): void => {
    if (container.process === undefined || container.restartCount !== restartCount || container.lost) return;
    const ready = !probed || container.process.listening();
    if (ready !== container.ready) {
      container.ready = ready;
      report(container);
    }
    if (probed) clock.after(1_000, () => probe(container, restartCount, probed));
  };

  const exited = (container: Container, exitCode: number, message: string, why = 'Error'): void => {
    if (container.process === undefined) return;
    container.process = undefined;
    container.ready = false;
    const startedAt = container.startedAt ?? clock.now();
    const how = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : why,
      message: message === '' ? undefined : message,
      startedAt: timestamp(startedAt),
      finishedAt: timestamp(clock.now()),
    };
    const terminated = {
      terminated: Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined)),
    };
    container.state = terminated;
    if (leaving(container)) {
      report(container);
      vanish(container);
      return;
    }
    if (clock.now() - startedAt > 600_000) container.backOffMs = 0;
    const delay = container.backOffMs;
    container.backOffMs = Math.min(300_000, delay === 0 ? 10_000 : delay * 2);
    report(container);
    clock.after(random.between(50, 400), () => {
      if (leaving(container)) return;
      container.lastState = terminated;
      if (delay > 0) wait(container, 'CrashLoopBackOff', `back-off ${delay / 1000}s restarting failed container`);
      clock.after(delay, () => begin(container));
    });
  };

  const vanish = (container: Container): void => {
    if (container.ended || container.lost) return;
    container.ended = true;
    clock.after(random.between(20, 300), () => {
      containers.delete(container.pod.metadata.uid ?? '');
      api.remove(ACTOR, refOf(container.pod), { uid: container.pod.metadata.uid ?? '', now: true });
    });
  };

  const terminate = (container: Container): void => {
    if (container.lost || container.ended) return;
    if (container.process === undefined) vanish(container);
    else {
      container.process.terminate();
      const grace = (numberAt(container.pod, 'spec', 'terminationGracePeriodSeconds') ?? 30) * 1000;
      clock.after(grace, () => {
        container.process?.kill();
        exited(container, 137, '');
      });
    }
  };

  api.watch(({ kind, object, before }) => {
    if (object.kind !== 'Pod') return;
    const uid = object.metadata.uid ?? '';
    const container = containers.get(uid);
    if (kind === 'removed') {
      container?.process?.kill();
      if (container !== undefined) container.ended = true;
      containers.delete(uid);
    } else if (container === undefined && before === undefined) {
      const created = newContainer(object);
      containers.set(uid, created);
      clock.after(random.between(5, 60), () => schedule(created));
    } else if (
      container !== undefined &&
      object.metadata.deletionTimestamp !== undefined &&
      before?.metadata.deletionTimestamp === undefined
    ) {
      clock.after(random.between(2, 30), () => terminate(container));
    }
  });

  return {
    kill: (pod, reason) => {
      const container = containers.get(pod.metadata.uid ?? '');
      container?.process?.kill();
      if (container !== undefined) exited(container, 137, '', reason);
    },
    loseNode: (pod) => {
      const container = containers.get(pod.metadata.uid ?? '');
      if (container === undefined) return;
      container.lost = true;
      container.process?.cutOff?.();
    },
  };
}

/** Flink's container; side-cars are not modelled. */
export function mainContainer(pod: KubeObject): Tree {
  const containers = list(at(pod, 'spec', 'containers'));
  return tree(containers.find((item) => at(item, 'name') === 'flink-main-container') ?? containers[0]);
}

function newContainer(pod: KubeObject): Container {
  const state = {};
  return {
    pod,
    process: undefined,
    restartCount: 0,
    backOffMs: 0,
    startedAt: undefined,
    state,
    lastState: {},
    ready: false,
    scheduled: false,
    lost: false,
    ended: false,
  };
}

function podStatus(container: Container, pod: KubeObject, now: number): Tree {
  const name = text(mainContainer(pod)['name']);
  if (!container.scheduled) {
    const reason = { reason: 'Unschedulable', message: '0/1 nodes are available: 1 Insufficient memory.' };
    return { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', ...reason }] };
  }
  const running = container.process !== undefined;
  const before = tree(pod['status']);
  const started = container.startedAt !== undefined || before['phase'] === 'Running';
  const over = container.state['terminated'] !== undefined && pod.metadata.deletionTimestamp !== undefined;
  const failed = numberAt(container.state, 'terminated', 'exitCode') !== 0;
  const ready = container.ready ? 'True' : 'False';
  return {
    phase: over ? (failed ? 'Failed' : 'Succeeded') : started ? 'Running' : 'Pending',
    startTime: before['startTime'] ?? timestamp(now),
    podIP: '10.0.0.1',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'ContainersReady', status: ready },
      { type: 'Ready', status: ready },
    ],
    containerStatuses: [
      {
        name,
        ready: container.ready,
        restartCount: container.restartCount,
        started: running,
        state: container.state,
        lastState: container.lastState,
      },
    ],
  };
}
