import type { ApiServer } from '../api-server.ts';
import type { Clock } from '../clock.ts';
import type { ContainerStart, Process, Runtime } from '../kubelet.ts';
import type { Random } from '../random.ts';
import type { FlinkEvent, ProcessInfo } from './events.ts';
import type { JobFaults } from './job.ts';
import type { JobManager } from './job-manager.ts';
import type { Storage } from './storage.ts';
import { readLaunch } from './entry-point.ts';
import { highAvailability } from './high-availability.ts';
import { startJobManager } from './job-manager.ts';

/** The Flink processes of a cluster: JobManagers and TaskManagers, as their containers start them. */
export type FlinkRuntime = Runtime & {
  /** The JobManager process of a pod, if it runs. */
  readonly jobManager: (podUid: string) => JobManager | undefined;
  readonly jobManagers: () => readonly JobManager[];
};

export type FlinkRuntimeOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly faults: JobFaults;
  readonly emit: (event: FlinkEvent) => void;
};

const JOB_LABEL = 'flork.itom.com/job';

export function createFlinkRuntime(options: FlinkRuntimeOptions): FlinkRuntime {
  const { clock, random, storage, faults } = options;
  const jobManagers = new Map<string, JobManager>();
  /** Slots of each registered TaskManager, by pod uid. */
  const taskManagers = new Map<string, { readonly job: string; readonly slots: number }>();

  const slotsOf = (job: string): number =>
    [...taskManagers.values()]
      .filter((manager) => manager.job === job)
      .reduce((sum, manager) => sum + manager.slots, 0);
  const slotsChanged = (job: string): void => {
    for (const [, manager] of jobManagers) if (jobOf(manager) === job) manager.slotsChanged();
  };
  const jobs = new Map<string, string>();
  const jobOf = (manager: JobManager): string => jobs.get(manager.info.podUid) ?? '';

  const start = (given: ContainerStart): Process => {
    const launch = readLaunch(given);
    if (typeof launch === 'string') return exitSoon(clock, given, launch);
    const podUid = given.pod.metadata.uid ?? '';
    const job = `${given.pod.metadata.namespace}/${given.pod.metadata.labels?.[JOB_LABEL] ?? ''}`;
    if (launch.role === 'taskmanager') {
      const slots = Number(launch.config.get('taskmanager.numberOfTaskSlots') ?? '1');
      return startTaskManager(clock, random, given, (there) => {
        if (there) taskManagers.set(podUid, { job, slots });
        else taskManagers.delete(podUid);
        slotsChanged(job);
      });
    }
    const version = versionOf(given);
    const ha = highAvailability({ api: options.api, clock, storage, config: launch.config, version });
    const info: ProcessInfo = {
      owner: given.pod.metadata.annotations?.['flork.itom.com/job-uid'] ?? '',
      epoch: Number(given.pod.metadata.annotations?.['flork.itom.com/epoch'] ?? '0'),
      podUid,
      podName: given.pod.metadata.name,
      restartCount: given.restartCount,
      jobId: launch.jobId ?? '00000000000000000000000000000000',
      cluster: ha?.clusterId ?? '',
    };
    // TaskManagers find a new JobManager only after their heartbeats to the old one have timed out.
    const registeredAt = clock.now() + (ha === undefined && given.restartCount > 0 ? random.between(3_000, 9_000) : 0);
    const manager = startJobManager({
      clock,
      random,
      storage,
      start: given,
      launch,
      info,
      version,
      slots: () => (clock.now() < registeredAt ? 0 : slotsOf(job)),
      faults,
      ha,
      emit: (event) => options.emit({ ...event, at: clock.now(), process: info } as FlinkEvent),
    });
    clock.after(registeredAt - clock.now() + 1, () => manager.slotsChanged());
    jobManagers.set(podUid, manager);
    jobs.set(podUid, job);
    return manager;
  };
  return {
    start,
    jobManager: (podUid) => {
      const found = jobManagers.get(podUid);
      return found?.phase() === 'gone' ? undefined : found;
    },
    jobManagers: () => [...jobManagers.values()].filter((manager) => manager.phase() !== 'gone'),
  };
}

function versionOf(start: ContainerStart): string {
  const image = (start.pod['spec'] as { containers?: { image?: string }[] } | undefined)?.containers?.[0]?.image ?? '';
  const found = /:(\d+\.\d+)(\.\d+)?/.exec(image);
  return found === null ? '1.20.4' : `${found[1]}${found[2] ?? '.0'}`;
}

function exitSoon(clock: Clock, start: ContainerStart, message: string): Process {
  let gone = false;
  clock.after(1_000, () => {
    if (gone) return;
    gone = true;
    start.exit(1, message);
  });
  const kill = (): void => {
    gone = true;
  };
  const terminate = (): void => {
    if (gone) return;
    gone = true;
    start.exit(143, '');
  };
  return { terminate, kill, listening: () => false };
}

function startTaskManager(
  clock: Clock,
  random: Random,
  start: ContainerStart,
  register: (there: boolean) => void,
): Process {
  let gone = false;
  const leave = (): void => {
    if (gone) return;
    gone = true;
    register(false);
  };
  clock.after(random.between(1_000, 3_000), () => {
    if (!gone) register(true);
  });
  return {
    terminate: () => {
      leave();
      clock.after(random.between(100, 800), () => start.exit(143, ''));
    },
    kill: leave,
    listening: () => !gone,
  };
}
