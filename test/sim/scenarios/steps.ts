import assert from 'node:assert/strict';
import { PAUSED } from '../../../src/core/observe-job.ts';
import { FLOWS, type Flow } from '../harness/catalogue.ts';
import { conclude } from '../harness/coverage.ts';
import { killJobManager, reachSettled } from '../harness/flows.ts';
import { createHistory, writesSince, type History, type HistoryOptions } from '../harness/history.ts';
import { reference } from '../harness/reference.ts';
import { assertRewoundTold, scenario } from '../harness/scenario.ts';

/** Under both strategies (`npm run test:scenarios`) each step is taken, else the first that each rule leads to. */
const every = process.env['FLORK_SIM_STRATEGIES'] === 'both';

/** What may come between any two steps of a flow: after every status that the flow writes, in a history of its own. */
async function afterEachStep(
  flow: Flow,
  options: HistoryOptions,
  act: (h: History) => void,
  judge: (h: History) => void,
): Promise<void> {
  const { trace, history } = await reference(flow, options);
  conclude(history);
  const statuses = trace.effects.filter(({ effect }) => effect.kind === 'status');
  const rules = new Map(trace.calls.map(({ call, rule }) => [call, rule]));
  const steps = every
    ? statuses
    : [...new Map(statuses.toReversed().map((step) => [rules.get(step.call), step])).values()];
  assert.ok(steps.length >= 3, `${steps.length} steps`);
  for (const { index } of steps) {
    const h = createHistory(options);
    h.controls.crash = (_effect, when, at) => {
      if (when === 'after' && at === index) h.clock.after(1, () => act(h));
      return false;
    };
    /* oxlint-disable no-await-in-loop -- each in a world of its own, one after the other */
    await flow.prelude(h);
    await flow.body(h);
    await reachSettled(h);
    /* oxlint-enable no-await-in-loop */
    judge(h);
    conclude(h);
  }
}

const flowOf = (name: string): Flow => FLOWS.find((flow) => flow.name === name) ?? assert.fail(`no flow "${name}"`);

scenario('11 JobManager killed after each step of a stop with a savepoint', (_, options) =>
  afterEachStep(flowOf('upgrade with a savepoint'), options, killJobManager, assertRewoundTold),
);

scenario('11 JobManager killed after each step of a suspension', (_, options) =>
  afterEachStep(flowOf('suspend and resume'), options, killJobManager, assertRewoundTold),
);

const PAUSE_MS = 40_000;

/** For a while nothing is decided, and nothing but status is written. */
function pause(h: History): void {
  const annotate = (value: string | undefined): void =>
    h.edit((live) => {
      const { [PAUSED]: _, ...others } = live.metadata.annotations ?? {};
      return { ...live, metadata: { ...live.metadata, annotations: value ? { ...others, [PAUSED]: value } : others } };
    });
  h.tell('user: pause');
  annotate('true');
  const since = h.clock.now() + 2_000;
  h.clock.after(PAUSE_MS, () => {
    const written = writesSince(h, since).filter((write) => !write.startsWith('status '));
    if (written.length > 0) h.fail('paused', `written all the same: ${written.join(', ')}`);
    h.tell('user: go on');
    annotate(undefined);
  });
}

// A deletion goes on beside the annotation; a stateless upgrade goes back to nothing, as it is told to.
for (const flow of FLOWS.filter(({ core, name }) => core === true && name !== 'delete')) {
  const judge = flow.name === 'upgrade stateless' ? () => undefined : assertRewoundTold;
  scenario(`38 paused after each step, and resumed: ${flow.name}`, (_, options) =>
    afterEachStep(flow, options, pause, judge),
  );
}
