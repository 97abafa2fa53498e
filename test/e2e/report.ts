import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './lib/kit.ts';
import { readResults } from './lib/results.ts';
import { reliabilityPage } from './lib/reliability.ts';

/** `npm run e2e:report`: writes docs/reliability.md from the results that `npm run e2e:full` has left. */
await writeFile(join(ROOT, 'docs/reliability.md'), reliabilityPage(await readResults()));
