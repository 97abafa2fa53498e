import { test } from 'node:test';
import { createHistory } from './harness/history.ts';
import { FLOWS } from './harness/flows.ts';

for (const flow of FLOWS) {
  test(flow.name, async () => {
    const h = createHistory({ seed: 1 });
    try {
      await flow.prelude(h);
      await flow.body(h);
    } finally {
      const from = Math.max(0, h.timeline.length - 70);
      console.log(h.timeline.slice(from).join('\n'));
    }
  });
}
