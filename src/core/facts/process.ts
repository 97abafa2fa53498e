import type { ObservedContainer, ObservedPod } from '../../api/kube.ts';
import { MAIN_CONTAINER } from '../role.ts';

/** What the pods say about the JobManager process of one epoch. */
export type Process =
  | { readonly kind: 'unknown' } // pods are not shown to this hook
  | { readonly kind: 'none'; readonly pod: ObservedPod | undefined } // no container of this epoch has started
  | {
      readonly kind: 'running';
      readonly id: string;
      readonly pod: ObservedPod;
      readonly ready: boolean;
      readonly leaving: boolean;
    }
  | {
      readonly kind: 'dead';
      readonly id: string;
      readonly pod: ObservedPod;
      readonly exitCode: number;
      readonly message: string;
    };

/** `<pod uid>/<restart count>`: names one process of a container for good. */
function processId(pod: ObservedPod, container: ObservedContainer): string {
  return `${pod.metadata.uid ?? pod.metadata.name}/${container.restartCount}`;
}

/** The main container of a pod, if the kubelet has reported it. */
export function mainContainer(pod: ObservedPod): ObservedContainer | undefined {
  return pod.containers.find((container) => container.name === MAIN_CONTAINER);
}

/** Pods of one component, of whatever epoch or former owner. */
export function podsOf(pods: readonly ObservedPod[], component: 'jobmanager' | 'taskmanager'): readonly ObservedPod[] {
  return pods.filter((pod) => pod.metadata.labels?.['flork.itom.com/component'] === component);
}

/** Pods of one epoch of this very FlinkJob (annotations of the pod template). */
export function ofEpoch(pods: readonly ObservedPod[], uid: string, epoch: number): readonly ObservedPod[] {
  return pods.filter((pod) => {
    const notes = pod.metadata.annotations;
    return notes?.['flork.itom.com/job-uid'] === uid && notes['flork.itom.com/epoch'] === String(epoch);
  });
}

/** Pods that still live come before those that leave, younger before older. */
function byRelevance(a: ObservedPod, b: ObservedPod): number {
  const leaving =
    Number(a.metadata.deletionTimestamp !== undefined) - Number(b.metadata.deletionTimestamp !== undefined);
  return leaving || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '');
}

/**
 * A container in `waiting` is dead when it ran before (a crash loop: its env will be read anew), and has not started when it never ran.
 * The kubelet counts a process when it starts it.
 */
function processIn(pod: ObservedPod): Process {
  const container = mainContainer(pod);
  if (!container) return { kind: 'none', pod };
  const id = processId(pod, container);
  if (container.state.kind === 'running') {
    return { kind: 'running', id, pod, ready: container.ready, leaving: pod.metadata.deletionTimestamp !== undefined };
  }
  const end = container.state.kind === 'terminated' ? container.state : container.lastState;
  if (end.kind !== 'terminated') return { kind: 'none', pod };
  return { kind: 'dead', id, pod, exitCode: end.exitCode, message: end.message };
}

/**
 * Whether a process of the epoch before this one may have run a job, for all that is known of them: the newest one seen, the newest
 * proven idle, and what the kubelet keeps, which is the end of one process. Exit code 1 proves that it could not start (see neverRan).
 */
export function mayHaveRunBefore(known: string | undefined, idle: string | undefined, process: Process): boolean {
  if (process.kind !== 'running' && process.kind !== 'dead') return false;
  const [pod, restarts] = process.id.split('/');
  const [knownPod, knownRestarts] = known?.split('/') ?? [];
  if (known !== undefined && pod !== knownPod && known !== idle) return true;
  const settled = pod === knownPod ? Number(knownRestarts) + (known === idle ? 1 : 0) : 0;
  const open = Number(restarts) - settled;
  return open > 1 || (open === 1 && endBefore(process.pod) !== 1);
}

/** Exit code of the process before the newest one; `undefined` when it is not kept. */
function endBefore(pod: ObservedPod): number | undefined {
  const container = mainContainer(pod);
  const before = container?.state.kind === 'waiting' ? undefined : container?.lastState;
  return before?.kind === 'terminated' ? before.exitCode : undefined;
}

/** The newest JobManager process of an epoch. */
export function processOf(pods: readonly ObservedPod[] | undefined, uid: string, epoch: number): Process {
  if (pods === undefined) return { kind: 'unknown' };
  const [pod] = ofEpoch(podsOf(pods, 'jobmanager'), uid, epoch).toSorted(byRelevance);
  return pod ? processIn(pod) : { kind: 'none', pod };
}

/**
 * The JobManager processes of an epoch with standbys, taken as one. Which of them leads no pod tells, and each one's REST leads to the
 * leader: they run as long as one does. The one that is known stands for them while it runs, so that the death of another, be it the
 * leader, is Flink's business alone.
 */
export function processAmong(
  pods: readonly ObservedPod[] | undefined,
  uid: string,
  epoch: number,
  known: string | undefined,
): Process {
  if (pods === undefined) return { kind: 'unknown' };
  const all = ofEpoch(podsOf(pods, 'jobmanager'), uid, epoch).toSorted(byRelevance).map(processIn);
  const running = all.flatMap((process) => (process.kind === 'running' ? [process] : []));
  const staying = running.filter(({ leaving }) => !leaving);
  const ready = staying.filter((process) => process.ready);
  const [chosen] = [ready, staying, running].flatMap((some) => [...some.filter(({ id }) => id === known), ...some]);
  if (chosen) return chosen;
  // What one of them may have done is not disproved by how another ended.
  const dead = all.flatMap((process) => (process.kind === 'dead' ? [process] : []));
  return dead.find(({ exitCode }) => exitCode !== 1) ?? dead[0] ?? all[0] ?? { kind: 'none', pod: undefined };
}
