import { parentPort } from 'node:worker_threads';
import type { ApplyStrategy } from '../../../src/sim/models/metacontroller/sync.ts';
import { conclude, coverage, reset, type Coverage } from './coverage.ts';
import { explore, subjectOf, type Explored, type Share } from './explore.ts';
import { randomHistory } from './random.ts';

/** The other side of apart.ts: tells one thing after the other, whatever it is asked for. */

export type Task =
  | { readonly kind: 'scenario'; readonly name: string; readonly strategies: readonly ApplyStrategy[] }
  | { readonly kind: 'plans'; readonly flow: string; readonly strategy: ApplyStrategy; readonly share: Share }
  /** Random histories from a seed on, `most` of them, until so many were a life under faults. */
  | { readonly kind: 'histories'; readonly first: number; readonly most: number; readonly wanted: number };

export type Told =
  | { readonly kind: 'scenario' }
  | { readonly kind: 'plans'; readonly explored: Explored }
  | { readonly kind: 'histories'; readonly counted: number };

export type Answer =
  | { readonly kind: 'told'; readonly told: Told; readonly coverage: Coverage }
  | { readonly kind: 'failed'; readonly message: string };

async function tell(task: Task): Promise<Told> {
  switch (task.kind) {
    case 'scenario': {
      // Its file registers it with scenario.ts.
      await import('../scenarios/all.ts');
      const { tellScenario } = await import('./scenario.ts');
      await tellScenario(task.name, task.strategies);
      return { kind: 'scenario' };
    }
    case 'plans':
      return { kind: 'plans', explored: await explore(subjectOf(task.flow, task.strategy), task.share) };
    case 'histories':
      return { kind: 'histories', counted: await tellHistories(task) };
    default:
      return task satisfies never;
  }
}

async function tellHistories({ first, most, wanted }: Extract<Task, { kind: 'histories' }>): Promise<number> {
  let counted = 0;
  for (let seed = first; seed < first + most && counted < wanted; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
    const told = await randomHistory(seed);
    conclude(told.history);
    if (told.counts) counted++;
  }
  return counted;
}

async function answer(task: Task): Promise<Answer> {
  reset();
  try {
    return { kind: 'told', told: await tell(task), coverage };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', (task: Task) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void answer(task).then((message) => parentPort?.postMessage(message));
});
