import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { crd } from '../../tools/crd/crd.ts';
import { sleep, until } from '../e2e/lib/kube.ts';
import { kubectl, ROOT, skip, tryKubectl } from './cluster.ts';
import { linesOf } from './hook-process.ts';
import { noMetacontroller } from './metacontroller.ts';
import * as tenants from './tenant-install.ts';

const { childrenOf, flinkJob, get, settled, started } = tenants;
const RUN = `flork-${Date.now().toString(36)}`;
const [A, B, C, NOBODYS] = ['a', 'b', 'c', 'nobodys'].map((name) => `${RUN}-${name}`) as [
  string,
  string,
  string,
  string,
];
const LABEL = 'flork.itom.com/tenant';
const GOLDEN = join(import.meta.dirname, 'tenants.golden.txt');

/** docs/tenants.md: the commands by which a namespace moves. */
const [, moving = ''] = readFileSync(join(ROOT, 'docs/tenants.md'), 'utf8').split('## Moving a namespace');
const commands = (moving.split(/^```\n/m)[1] ?? '').split('\n').filter((line) => /^(kubectl|while) /.test(line));

/** Runs a line as a person does; this process meanwhile is the network of the hooks. */
const shell = (line: string) => promisify(execFile)('timeout', ['60', 'bash', '-euo', 'pipefail', '-c', line]);

describe('two tenants on an API server', { skip }, () => {
  let there = '';
  let made: tenants.TenantInstall;
  let written: tenants.Written;
  const log = (): string =>
    [...made.metacontrollers.values(), ...made.hooks.values()].map((one) => one.output().slice(-4000)).join('\n');

  before(async () => {
    there = await tenants.alreadyThere();
    if (there !== '') return;
    const namespaces = [A, B, C, NOBODYS].map((name) => `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`);
    // FlinkJobs from before the policy: nothing but rights stands between them and the wrong tenant.
    const strays = [flinkJob(B, 'astray', 'first'), flinkJob(NOBODYS, 'lost', 'first'), flinkJob(A, 'unlabelled')];
    made = await tenants.TenantInstall.begin([...namespaces, JSON.stringify(crd()), strays.join('\n---\n')]);
    written = await tenants.writeTenants(
      `tenants: [{id: first, namespaces: [${A}]}, {id: second, namespaces: [${B}, ${C}]}]`,
    );
    await made.install(written);
    for (const line of written.lines.filter((text) => text.startsWith('kubectl label'))) await shell(line);
    await until('the policy is in force', 60, async () =>
      (await tryKubectl(['create', '--dry-run=server', '-f', '-'], flinkJob(A, 'probe'))).code === 0 ? undefined : true,
    );
    if (noMetacontroller === false) await made.startMetacontrollers(written);
  });
  after(() => made?.end([A, B, C, NOBODYS]));

  const real = (t: TestContext): boolean => {
    const why = there === '' ? noMetacontroller : there;
    if (why !== false) t.skip(why);
    return why === false;
  };

  test("each Metacontroller's account may write in the namespaces of its tenant alone", async (t) => {
    if (there !== '') return t.skip(there);
    const places = [A, B, C, NOBODYS, 'default', 'flork-system', 'kube-system', 'metacontroller'];
    await tenants.rightsAsReviewed(GOLDEN, async () => {
      const first = await tenants.rightsOf('metacontroller-first', places);
      const lines = [...first, ...(await tenants.rightsOf('metacontroller-second', places))];
      return `${lines.join('\n').replaceAll(`${RUN}-`, '')}\n`;
    });
    return undefined;
  });

  test('a FlinkJob has to carry the tenant of its namespace', async (t) => {
    if (there !== '') return t.skip(there);
    const create = (text: string) => tryKubectl(['create', '--dry-run=server', '-f', '-'], text);
    const refusals = [
      [flinkJob(A, 'other', 'second'), 'is second; want the tenant of the namespace: first'],
      [flinkJob(A, 'other'), 'is absent; want the tenant of the namespace: first'],
      [
        flinkJob(NOBODYS, 'other', 'first'),
        'is first; want the tenant of the namespace: none, its administrator has to label it',
      ],
    ] as const;
    for (const [job, says] of refusals) {
      const { code, stderr } = await create(job);
      assert.notEqual(code, 0);
      assert.ok(stderr.includes(`metadata.labels[${LABEL}]: ${says}`), stderr);
    }
    assert.equal((await create(flinkJob(C, 'other', 'second'))).code, 0);
    const relabel = ['-n', B, 'label', 'flinkjob', 'astray', `${LABEL}=third`, '--overwrite', '--dry-run=server'];
    assert.match((await tryKubectl(relabel)).stderr, /is third; want the tenant of the namespace: second/);
    return undefined;
  });

  test('/validate is answered for every namespace by every instance', async (t) => {
    if (there !== '') return t.skip(there);
    for (const [name, hook] of made.hooks) {
      for (const job of [flinkJob(A, 'x', 'first'), flinkJob(B, 'x', 'second'), flinkJob('elsewhere', 'x')]) {
        const object = JSON.parse(job) as { readonly spec: object };
        const wrong = { ...object, spec: { ...object.spec, flinkVersion: '0.9' } };
        const allowed = [await tenants.validate(hook, object), await tenants.validate(hook, wrong)];
        assert.deepEqual(allowed, [true, false], `${name}: ${job}`);
      }
    }
    return undefined;
  });

  test("each tenant's FlinkJobs get their children by its own instance", async (t) => {
    if (!real(t)) return;
    for (const [namespace, tenant] of [
      [A, 'first'],
      [B, 'second'],
      [C, 'second'],
    ] as const) {
      await kubectl(['create', '-f', '-'], flinkJob(namespace, 'orders', tenant));
      await started(namespace, 'orders', log);
      const { metadata } = await get(namespace, 'flinkjob', 'orders');
      assert.deepEqual(metadata.finalizers, [`metacontroller.io/compositecontroller-flork-${tenant}`]);
    }
    for (const [name, hook] of made.hooks) {
      const own = name === 'flork-first' ? [A] : [B, C];
      const answered = linesOf(hook).filter(({ message }) => message === 'answered');
      const where = new Set(answered.flatMap(({ namespace }) => (namespace === undefined ? [] : [String(namespace)])));
      assert.deepEqual([...where].toSorted(), own, name);
    }
  });

  test("a FlinkJob in another's namespace is untouched", async (t) => {
    if (!real(t)) return;
    const { output } = made.metacontrollers.get('metacontroller-first')!;
    for (const name of ['astray', 'lost'])
      await until(
        `it is kept from ${name}`,
        30,
        async () => new RegExp(`${name}.*forbidden|forbidden.*${name}`).test(output()) || undefined,
        async () => output().slice(-4000),
      );
    for (const [namespace, name] of [
      [B, 'astray'],
      [NOBODYS, 'lost'],
      [A, 'unlabelled'],
    ] as const) {
      const { metadata, status } = await get(namespace, 'flinkjob', name);
      assert.equal(metadata.finalizers, undefined);
      assert.deepEqual(status, { observedGeneration: -1 }, 'the default of the kind');
      assert.equal(metadata.generation, 1);
      assert.deepEqual(
        metadata.managedFields?.map(({ manager }) => manager),
        ['kubectl'],
      );
      assert.deepEqual(await childrenOf(namespace, name), []);
    }
  });

  test('a namespace moves to another tenant, and nothing of its jobs changes', async (t) => {
    if (!real(t)) return;
    assert.ok(
      [...made.hooks.values()].every(({ ca }) => ca !== undefined),
      'by HTTPS',
    );
    const before = await settled(B, 'orders');
    const job = await get(B, 'flinkjob', 'orders');
    await kubectl(['-n', B, 'delete', 'flinkjob', 'astray']);

    assert.equal(commands.length, 5, commands.join('\n'));
    const after = await tenants.writeTenants(
      `tenants: [{id: first, namespaces: [${A}, ${B}]}, {id: second, namespaces: [${C}]}]`,
      '--ca',
      join(written.folder, 'ca'),
    );
    await made.change(after);
    const [, ...lines] = commands.map((line) =>
      line.replaceAll('NAMESPACE', B).replaceAll('OLD', 'second').replaceAll('NEW', 'first'),
    );
    for (const line of lines) await shell(line);

    const moved = await until(
      'the new tenant has taken it over',
      60,
      async () => {
        const now = await get(B, 'flinkjob', 'orders');
        return now.metadata.finalizers?.join() === 'metacontroller.io/compositecontroller-flork-first'
          ? now
          : undefined;
      },
      async () => log(),
    );
    await sleep(3000);
    assert.deepEqual(await settled(B, 'orders'), before);
    assert.equal(moved.metadata.uid, job.metadata.uid);
    assert.deepEqual(moved.spec, job.spec);
    const { status } = await get(B, 'flinkjob', 'orders');
    assert.deepEqual(status.epoch, job.status.epoch);
    assert.deepEqual(status.operation, job.status.operation);
    assert.doesNotMatch(status.message ?? '', /Handed over/);
  });

  test('and its new tenant goes on with them', async (t) => {
    if (!real(t)) return;
    await kubectl(['-n', B, 'delete', 'flinkjob', 'orders', '--timeout=60s']);
    await until('its children go', 30, async () => (await childrenOf(B, 'orders')).length === 0 || undefined);
    await kubectl(['-n', C, 'delete', 'flinkjob', 'orders', '--timeout=60s']);
  });
});
