import assert from 'node:assert/strict';
import type { OptionalKind } from '../../../src/api/optional-children.ts';
import { epochNames } from '../../../src/core/build/names.ts';
import type { ApplyStrategy } from '../../../src/sim/models/metacontroller/sync.ts';
import { at } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import { realCore } from './core.ts';
import { conclude } from './coverage.ts';
import { epochOf, isReady, jobOf } from './flows.ts';
import { createHistory, type History, type HistoryOptions } from './history.ts';
import { NAME } from './sample.ts';
import { earlier } from './versions.ts';

/** What the scenarios of docs/lifecycle.md are told with; `options` are those of the history, for more of the same kind. */
export type Story = (h: History, options: HistoryOptions) => Promise<void>;

type Registered = { readonly story: Story; readonly optionalKinds: readonly OptionalKind[] };

const STORIES = new Map<string, Registered>();

/** Registers a scenario. */
export function scenario(name: string, story: Story, optionalKinds: readonly OptionalKind[] = []): void {
  assert.ok(!STORIES.has(name), `two scenarios "${name}"`);
  STORIES.set(name, { story, optionalKinds });
}

/** Names of all scenarios, in the order of their registration. */
export function scenarios(): readonly string[] {
  return [...STORIES.keys()];
}

/** Tells the scenario, once for each of these apply strategies, on different seeds. */
export async function tellScenario(name: string, strategies: readonly ApplyStrategy[]): Promise<void> {
  const { story, optionalKinds } = STORIES.get(name) ?? assert.fail(`no scenario "${name}"`);
  for (const strategy of strategies) {
    const options = { seed: strategy === 'dynamic-apply' ? 7 : 8, strategy, optionalKinds, earlier: earlier(realCore) };
    const h = createHistory(options);
    // oxlint-disable-next-line no-await-in-loop -- one story after the other
    await story(h, options);
    conclude(h);
  }
}

export const status = (h: History): ReturnType<typeof statusOf> =>
  statusOf(h.job() ?? assert.fail('the FlinkJob is gone'));
export const uid = (h: History): string => h.job()?.metadata.uid ?? assert.fail('the FlinkJob is gone');
export const running = (h: History): boolean => isReady(h) && jobOf(h)?.state() === 'RUNNING';
export const savepointsOf = (h: History): number => h.ledger.savepoints(uid(h));

/** The configuration that the running epoch was rendered with. */
export function confOf(h: History): string {
  const { configuration } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return JSON.stringify(
    h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: configuration })?.['data'] ?? '',
  );
}

export function restoreConfigMap(h: History): ReturnType<History['world']['api']['get']> {
  const { restore } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: restore });
}

export function newestSnapshot(h: History): number {
  return Math.max(0, ...h.world.storage.all().map((snapshot) => snapshot.counter));
}

/** Whenever the job went back behind what it had reached, its history says so. */
export function assertRewoundTold(h: History): void {
  const told = h.world.api.writes.some(
    ({ object }) =>
      object.kind === 'FlinkJob' && JSON.stringify(at(object, 'status', 'history') ?? []).includes('Rewound'),
  );
  assert.ok(told || h.ledger.rewinds.length === 0, `it went back silently: ${JSON.stringify(h.ledger.rewinds)}`);
}
