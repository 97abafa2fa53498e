import assert from 'node:assert/strict';
import { texts } from '../../../src/sim/models/objects.ts';
import { start, upgrade } from '../harness/flows.ts';
import { reconfigured, SPEC } from '../harness/sample.ts';
import { restoreConfigMap, savepointsOf, scenario } from '../harness/scenario.ts';

/** Numbers of operations: each is used once, whatever is shown late. Seen with a real Metacontroller: the path was stored, the old status was shown once more. */
for (const behind of [1, 2, 3]) {
  scenario(
    `the end of a stop is known from the children alone, status is ${behind} behind: its number stays used up`,
    async (h) => {
      await start(h);
      let shown = 0;
      h.controls.staleness = () => {
        const content = texts(restoreConfigMap(h)?.['data']);
        const ended = content['next-job-id'] !== undefined && content['job-id'] === undefined;
        const late = ended && shown < 2;
        if (late) shown++;
        return { parent: late ? behind : 0, children: 0, related: 0 };
      };
      await upgrade(h, reconfigured(SPEC, '64'));
      assert.ok(shown > 0, 'an old status was shown beside the new children');
      await upgrade(h, reconfigured(SPEC, '96'));
      assert.equal(savepointsOf(h), 2, 'one savepoint for each change');
    },
  );
}
