/**
 * `npm run e2e`: installs Flork on the cluster of KUBECONFIG as it is shipped and runs the e2e tests one after the other.
 * METACONTROLLER=<binary> hosts it by that real Metacontroller, APPLY_STRATEGY picks its strategy, E2E_FLINK=2.3 one Flink;
 * arguments pick files, for example `npm run e2e -- life`. More in test/e2e/README.md.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { chooseHost, install } from './lib/install.ts';
import { startModelHost } from './lib/model-host.ts';

const wanted = process.argv.slice(2);
const ORDER = ['crd', 'render', 'refused', 'life', 'trace', 'sample'];
const rank = (file: string): number => ORDER.indexOf(file.split('.')[0] ?? '') + 1 || ORDER.length + 1;
const files = readdirSync(import.meta.dirname)
  .filter(
    (file) => /\.(e2e|test)\.ts$/.test(file) && (wanted.length === 0 || wanted.some((name) => file.startsWith(name))),
  )
  .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));

const host = await chooseHost();
console.log(
  `# hosted by ${host.kind === 'binary' ? `${host.path} (${host.strategy})` : host.kind}; ${files.join(', ')}`,
);
if (process.env['E2E_INSTALL'] !== 'no') await install(host);
const stop = host.kind === 'model' ? await startModelHost(host.strategy) : undefined;

const results = run({
  files: files.map((file) => join(import.meta.dirname, file)),
  concurrency: false,
  isolation: 'process',
  timeout: 3_600_000,
});
results.on('test:fail', () => {
  process.exitCode = 1;
});
results.on('end', () => void stop?.());
results.compose(spec).pipe(process.stdout);
