import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { readTenants } from '../../../src/cli/tenants/read.ts';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const CRD = new URL('../../../manifests/crd.yaml', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'flork-tenants-'));
after(() => rmSync(root, { recursive: true }));

const TWO = 'deployment: {tenants: [{id: first, namespaces: [foo]}, {id: second, namespaces: [bar, baz]}]}';

function tenants(input: string, ...args: string[]) {
  const words = [CLI, 'tenants', '-', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The objects of a folder, but for the kind FlinkJob. */
// oxlint-disable-next-line typescript/no-explicit-any -- manifests of many shapes
function written(folder: string): any[] {
  return readdirSync(folder)
    .filter((name) => /^(common|metacontroller|tenant-.*)\.yaml$/.test(name))
    .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((one) => one.toJS()));
}

/** Who may do what where, by the bindings of a ServiceAccount. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
function bindings(objects: any[], account: string): string[] {
  return objects
    .filter((one) => one.subjects?.some((subject: { name: string }) => subject.name === account))
    .map((one) => `${one.roleRef.name} in ${one.metadata.namespace ?? 'all'}`)
    .toSorted();
}

describe('flork tenants', () => {
  const folder = join(root, 'two');

  it('says which labels an administrator has to set', () => {
    const { status, stdout, stderr } = tenants(TWO, '--out', folder);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(stdout, /^kubectl label namespace foo flork.itom.com\/tenant=first\n/);
    assert.match(stdout, /kubectl apply --server-side -k .*two\n/);
  });

  it('gives each tenant a hook, a controller and a Metacontroller of its own', () => {
    const objects = written(folder);
    const names = (kind: string) =>
      objects
        .filter((one) => one.kind === kind)
        .map((one) => one.metadata.name)
        .toSorted();
    assert.deepEqual(names('Deployment'), ['flork-first', 'flork-second']);
    assert.deepEqual(names('CompositeController'), ['flork-first', 'flork-second']);
    assert.deepEqual(names('StatefulSet'), ['metacontroller-first', 'metacontroller-second']);
    assert.equal(readFileSync(join(folder, 'crd.yaml'), 'utf8'), readFileSync(CRD, 'utf8'));
    const keys = objects.map((one) => `${one.kind}/${one.metadata.namespace ?? ''}/${one.metadata.name}`);
    assert.equal(new Set(keys).size, keys.length, 'nothing is written twice');
  });

  it('ties each hook to its namespaces, each controller to its label, each Metacontroller to its controller', () => {
    const objects = written(folder);
    const named = (kind: string, name: string) =>
      objects.find((one) => one.kind === kind && one.metadata.name === name);
    const [container] = named('Deployment', 'flork-second').spec.template.spec.containers;
    const env = Object.fromEntries(container.env.map((one: { name: string; value: string }) => [one.name, one.value]));
    assert.equal(env.FLORK_NAMESPACES, 'bar,baz');
    assert.equal(env.FLORK_TENANT, 'second');
    const controller = named('CompositeController', 'flork-second');
    assert.deepEqual(controller.spec.parentResource.labelSelector.matchLabels, { 'flork.itom.com/tenant': 'second' });
    for (const hook of Object.values<{ webhook: { url: string } }>(controller.spec.hooks))
      assert.match(hook.webhook.url, /^https:\/\/flork-second\.flork-system\.svc:8080\//);
    const { args } = named('StatefulSet', 'metacontroller-second').spec.template.spec.containers[0];
    assert.ok(args.includes('--target-label-selector=flork.itom.com/tenant=second'));
    assert.ok(args.includes('--leader-election-id=metacontroller-second'));
    for (const kind of ['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']) {
      const selects = JSON.stringify(named(kind, 'flork-second').spec);
      assert.match(
        selects,
        /"app.kubernetes.io\/instance":"flork-second"/,
        `${kind} must not select another tenant's pods`,
      );
    }
  });

  it('lets each Metacontroller write in the namespaces of its tenant and nowhere else', () => {
    const objects = written(folder);
    assert.deepEqual(bindings(objects, 'metacontroller-second'), [
      'metacontroller-flork-read in all',
      'metacontroller-flork-write in bar',
      'metacontroller-flork-write in baz',
      'metacontroller-second-events in default',
      'metacontroller-second-leader-election in metacontroller',
    ]);
    const read = objects.find((one) => one.metadata.name === 'metacontroller-flork-read');
    const write = objects.find((one) => one.metadata.name === 'metacontroller-flork-write');
    const verbs = (role: { rules: { verbs: string[] }[] }) =>
      [...new Set(role.rules.flatMap((rule) => rule.verbs))].toSorted();
    assert.deepEqual(verbs(read), ['get', 'list', 'watch']);
    assert.deepEqual(verbs(write), ['create', 'delete', 'patch', 'update']);
    assert.ok(!JSON.stringify([read, write]).includes('*') && !JSON.stringify([read, write]).includes('secrets'));
  });

  it('ties the tenant of a FlinkJob to its namespace', () => {
    const [policy] = written(folder).filter((one) => one.kind === 'ValidatingAdmissionPolicy');
    assert.match(policy.spec.validations[0].expression, /namespaceObject/);
    assert.equal(policy.spec.failurePolicy, 'Fail');
  });

  it('lists all it wrote in the kustomization but what has to be kept, and overwrites nothing', () => {
    const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    const kept = ['.gitignore', 'ca', 'secrets.yaml'];
    assert.deepEqual([...resources, ...kept, 'kustomization.yaml'].toSorted(), readdirSync(folder).toSorted());
    assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), '/ca/\n/secrets.yaml\n');
    for (const name of resources) assert.ok(!readFileSync(join(folder, name), 'utf8').includes('PRIVATE KEY'), name);
    for (const name of ['ca/ca.key', 'secrets.yaml']) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    assert.match(tenants(TWO, '--out', folder).stderr, /is there already; want an empty folder/);
  });

  it('has each hook serve a certificate of its own, of a CA that stands in its controller', () => {
    const secrets = parseAllDocuments(readFileSync(join(folder, 'secrets.yaml'), 'utf8')).map((one) => one.toJS());
    const ca = readFileSync(join(folder, 'ca/ca.crt'), 'utf8');
    assert.deepEqual(
      secrets.map(({ metadata }) => metadata.name),
      ['flork-first-tls', 'flork-second-tls'],
    );
    const objects = written(folder);
    for (const [index, id] of ['first', 'second'].entries()) {
      const named = (kind: string) => objects.find((one) => one.kind === kind && one.metadata.name === `flork-${id}`);
      const host = `flork-${id}.flork-system.svc`;
      const certificate = new X509Certificate(secrets[index].stringData['tls.crt']);
      assert.equal(certificate.checkHost(host), host);
      assert.ok(certificate.verify(new X509Certificate(ca).publicKey));
      const endpoints = [{ host: `${host}:8080`, caBundle: { inline: ca } }];
      assert.deepEqual(named('CompositeController').spec.endpointConfigs, endpoints);
      const { containers, volumes } = named('Deployment').spec.template.spec;
      assert.equal(volumes.at(-1).secret.secretName, `flork-${id}-tls`);
      const probes = [containers[0].readinessProbe, containers[0].livenessProbe];
      for (const { httpGet } of probes) assert.deepEqual([httpGet.scheme, httpGet.port], ['HTTPS', 'http']);
      const env = containers[0].env.map((one: { name: string }) => one.name);
      assert.ok(env.includes('TLS_CERT_FILE') && env.includes('FLORK_TENANT'));
    }
  });

  it('goes on with the CA of a former run', () => {
    const again = join(root, 'again');
    const { stdout, status } = tenants(TWO, '--out', again, '--ca', join(folder, 'ca'));
    assert.equal(status, 0);
    assert.match(stdout, /kubectl apply --server-side -f .*again\/secrets\.yaml\n$/);
    assert.ok(!readdirSync(again).includes('ca'));
    const controllers = (where: string) => written(where).filter((one) => one.kind === 'CompositeController');
    assert.deepEqual(controllers(again), controllers(folder));
  });

  it('writes no certificate where plain HTTP is asked for', () => {
    const plain = join(root, 'plain');
    assert.equal(tenants(TWO, '--out', plain, '--plain-http').status, 0);
    assert.ok(!readdirSync(plain).some((name) => ['ca', 'secrets.yaml', '.gitignore'].includes(name)));
    const controller = written(plain).find((one) => one.kind === 'CompositeController');
    assert.match(controller.spec.hooks.sync.webhook.url, /^http:/);
    assert.deepEqual(controller.spec.endpointConfigs, [{ host: 'flork-first.flork-system.svc:8080' }]);
    const { status, stderr } = tenants(TWO, '--out', join(root, 'neither'), '--plain-http', '--client');
    assert.equal(status, 2);
    assert.match(stderr, /^usage:/);
  });

  it('shares a Metacontroller on request', () => {
    const shared = join(root, 'shared');
    assert.equal(tenants(TWO, '--out', shared, '--shared-metacontroller').status, 0);
    const objects = written(shared);
    assert.deepEqual(bindings(objects, 'metacontroller-shared').slice(0, 4), [
      'metacontroller-flork-read in all',
      'metacontroller-flork-write in bar',
      'metacontroller-flork-write in baz',
      'metacontroller-flork-write in foo',
    ]);
    assert.equal(objects.filter((one) => one.kind === 'StatefulSet').length, 1);
  });

  it('gives one tenant all namespaces, without labels', () => {
    const all = join(root, 'all');
    const { status, stdout } = tenants("tenants: [{id: default, namespaces: ['*']}]", '--out', all);
    assert.equal(status, 0);
    assert.doesNotMatch(stdout, /label/);
    const objects = written(all);
    assert.deepEqual(bindings(objects, 'metacontroller-default').slice(0, 2), [
      'metacontroller-default-leader-election in metacontroller',
      'metacontroller-flork-read in all',
    ]);
    assert.ok(bindings(objects, 'metacontroller-default').includes('metacontroller-flork-write in all'));
    const [controller] = objects.filter((one) => one.kind === 'CompositeController');
    assert.equal(controller.spec.parentResource.labelSelector, undefined);
    assert.ok(!objects.some((one) => one.kind === 'ValidatingAdmissionPolicy'));
  });
});

describe('flork tenants --duties', () => {
  const folder = join(root, 'dutiful');
  const hook = (objects: ReturnType<typeof written>, kind: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === 'flork-second');
  const switches = (objects: ReturnType<typeof written>): string[] =>
    hook(objects, 'Deployment')
      .spec.template.spec.containers[0].env.filter(({ name }: { name: string }) => name.startsWith('DUTY_'))
      .map(({ name, value }: { name: string; value: string }) => `${name}=${value}`);

  it('gives each hook the right to a duty in the namespaces of its tenant, the token, and the way to the API server', () => {
    assert.equal(tenants(TWO, '--out', folder, '--duties', 'events, delete-self').status, 0);
    const objects = written(folder);
    assert.deepEqual(bindings(objects, 'flork-second'), [
      'flork-duty-delete-self in bar',
      'flork-duty-delete-self in baz',
      'flork-duty-events in bar',
      'flork-duty-events in baz',
    ]);
    const roles = objects.filter((one) => one.kind === 'ClusterRole' && one.metadata.name.startsWith('flork-duty-'));
    assert.deepEqual(
      roles.map(({ rules }) =>
        rules.map((rule: { resources: string[]; verbs: string[] }) => [rule.resources, rule.verbs]),
      ),
      [[[['flinkjobs'], ['delete']]], [[['events'], ['create']]]],
    );
    assert.deepEqual(switches(objects), ['DUTY_DELETE_SELF=on', 'DUTY_EVENTS=on']);
    assert.equal(hook(objects, 'Deployment').spec.template.spec.automountServiceAccountToken, true);
    assert.deepEqual(hook(objects, 'NetworkPolicy').spec.egress.at(-1), { ports: [{ port: 443 }, { port: 6443 }] });
  });

  it('binds them everywhere for the one tenant of all namespaces', () => {
    const all = join(root, 'dutiful-all');
    const one = "tenants: [{id: default, namespaces: ['*']}]";
    assert.equal(tenants(one, '--out', all, '--duties', 'clean-high-availability').status, 0);
    assert.deepEqual(bindings(written(all), 'flork-default'), ['flork-duty-clean-high-availability in all']);
  });

  it('without it a hook has no right, no token and no way to the API server', () => {
    const objects = written(join(root, 'two'));
    assert.deepEqual(bindings(objects, 'flork-second'), []);
    assert.deepEqual(switches(objects), []);
    assert.equal(hook(objects, 'Deployment').spec.template.spec.automountServiceAccountToken, false);
    assert.ok(!JSON.stringify(hook(objects, 'NetworkPolicy')).includes('6443'));
  });

  it('refuses a duty that there is not, and writes nothing', () => {
    const never = join(root, 'never');
    const { status, stderr } = tenants(TWO, '--out', never, '--duties', 'events,eventz');
    assert.equal(status, 2);
    assert.equal(stderr, 'flork tenants: --duties: has eventz; want clean-high-availability, delete-self, events\n');
    assert.ok(!readdirSync(root).includes('never'));
  });
});

describe('a file of tenants', () => {
  for (const [name, text, ...lines] of [
    ['none', '{}', 'tenants: is absent; want a list of {id, namespaces}'],
    ['an empty list', 'tenants: []', 'tenants: is []; want a list of {id, namespaces}'],
    [
      'an id that is no name',
      'tenants: [{id: A, namespaces: [a]}]',
      'tenants[0].id: is "A"; want at most 32 of a-z, 0-9 and -, beginning with a letter',
    ],
    [
      'an id twice',
      'tenants: [{id: a, namespaces: [a]}, {id: a, namespaces: [b]}]',
      'tenants: has a twice; want each id once',
    ],
    [
      'a namespace of two tenants',
      'tenants: [{id: a, namespaces: [x]}, {id: b, namespaces: [x]}]',
      'tenants: namespace x is listed for a and for b; want it once',
    ],
    [
      'a namespace twice in one tenant',
      'tenants: [{id: a, namespaces: [x, x]}]',
      'tenants: namespace x is listed for a and for a; want it once',
    ],
    [
      '* beside names',
      "tenants: [{id: a, namespaces: ['*', x]}]",
      "tenants[0].namespaces: has * beside others; want ['*'] or the names",
    ],
    [
      '* beside another tenant',
      "tenants: [{id: a, namespaces: ['*']}, {id: b, namespaces: [x]}]",
      'tenants: a has * beside other tenants; want it alone, or namespaces by name',
    ],
    ['no namespaces', 'tenants: [{id: a}]', "tenants[0].namespaces: is absent; want a list of namespaces, or ['*']"],
    [
      'a namespace that is no name, and a field too many',
      'tenants: [{id: a, namespaces: [A_b], names: 1}]',
      'tenants[0].names: is not a field; want id and namespaces alone',
      'tenants[0].namespaces[0]: is "A_b"; want the name of a namespace',
    ],
  ] as const) {
    it(`is refused with ${name}`, () => {
      assert.deepEqual(readTenants(text), { kind: 'wrong', lines });
    });
  }

  it('names the file and every finding', () => {
    const { status, stderr, stdout } = tenants('tenants: [{}]', '--out', join(root, 'never'));
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(stderr.split('\n').length, 3);
    assert.match(stderr, /^-: tenants\[0\]\.id: is absent/);
  });
});
