import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { OPTIONAL_KINDS } from '../../src/api/optional-children.ts';
import { certs } from '../../src/cli/certs.ts';
import { readConfig } from '../../src/config.ts';
import { DUTIES } from '../../src/core/duty.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { builtIn, noKubectl, withOverlay, writeTenants } from './kustomized.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const objects = (path: string): any[] => parseAllDocuments(read(path)).map((document) => document.toJS()); // oxlint-disable-line typescript/no-explicit-any -- manifests of many shapes
type Hook = { readonly version: string; readonly webhook: { readonly url: string } };
const { version } = JSON.parse(read('package.json')) as { version: string };
const [deployment] = objects('manifests/deployment.yaml');
const pod = deployment.spec.template.spec;
const container = pod.containers[0];
const env: Record<string, string> = Object.fromEntries(
  container.env.map((entry: { name: string; value: string }) => [entry.name, entry.value]),
);

describe('the manifests', () => {
  test('call the hook under the version of this package, so that a new one syncs every job', () => {
    const [controller] = objects('metacontroller/composite-controller.yaml');
    for (const [name, hook] of Object.entries<Hook>(controller.spec.hooks)) {
      assert.equal(hook.webhook.url, `http://flork.flork-system.svc:8080/${name}?v=${version}`);
      assert.equal(hook.version, 'v2');
    }
  });

  test('call it by HTTPS under the same version where the component tls is used', () => {
    const [component] = objects('kustomize/components/tls/kustomization.yaml');
    const [, { patch }] = component.patches;
    for (const hook of ['sync', 'finalize', 'customize'])
      assert.ok(patch.includes(`value: https://flork.flork-system.svc:8080/${hook}?v=${version}\n`), hook);
  });

  test(
    'of the production overlay call by HTTPS alone, and do not build without a certificate',
    { skip: noKubectl },
    async () => {
      await withOverlay(async (folder) => {
        copyFileSync(
          join(ROOT, 'kustomize/overlays/production/kustomization.yaml'),
          join(folder, 'kustomization.yaml'),
        );
        const build = () => spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
        assert.match(build().stderr, /certs: no such file or directory/);
        assert.equal(await certs(['--component', join(folder, 'certs')]), 0);
        const { status, stdout, stderr } = build();
        assert.equal(status, 0, stderr);
        assert.doesNotMatch(stdout, /http:\/\/flork/);
        assert.doesNotMatch(stdout, /resources:\n( *- \w+\n)* *- secrets/, 'Metacontroller reads no Secret');
        const made = parseAllDocuments(stdout).map((document) => document.toJS());
        const named = (kind: string) =>
          made.find((object) => object.kind === kind && object.metadata.name.startsWith('flork'));
        const [endpoint] = named('CompositeController').spec.endpointConfigs;
        const ca = new X509Certificate(endpoint.caBundle.inline);
        const certificate = new X509Certificate(named('Secret').stringData['tls.crt']);
        assert.ok(certificate.verify(ca.publicKey));
        const { hostname, host } = new URL(named('CompositeController').spec.hooks.sync.webhook.url);
        assert.equal(certificate.checkHost(hostname), hostname);
        assert.equal(endpoint.host, host);
        const [{ from }] = named('NetworkPolicy').spec.ingress;
        assert.equal(from[0].podSelector.matchLabels['app.kubernetes.io/name'], 'metacontroller');
      });
    },
  );

  test('let Metacontroller read Secrets in the components that say so, and nowhere else', () => {
    const grants = globSync('kustomize/**/*.yaml', { cwd: ROOT }).filter((path) =>
      /resources: \[secrets\]/.test(read(path)),
    );
    assert.deepEqual(
      grants.toSorted(),
      ['cert-manager', 'mtls', 'token'].map((name) => `kustomize/components/${name}/kustomization.yaml`),
    );
    for (const path of grants) assert.match(read(path), /^# .*(lets|let) (it|Metacontroller) read Secrets/m, path);
  });

  test('update every kind of child in place', () => {
    const [controller] = objects('metacontroller/composite-controller.yaml');
    for (const child of controller.spec.childResources)
      assert.equal(child.updateStrategy.method, 'InPlace', child.resource);
  });

  test('run the image of this version', () => {
    assert.equal(container.image, `flork:${version}`);
    for (const overlay of ['dev', 'production']) {
      assert.equal(objects(`kustomize/overlays/${overlay}/kustomization.yaml`)[0].images[0].newTag, version);
    }
  });

  test('give the process variables that it reads, and time to drain', () => {
    const source = read('src/config.ts');
    for (const name of Object.keys(env)) assert.match(source, new RegExp(`^ +${name}:`, 'm'));
    const given = readConfig(env);
    assert.ok(given.kind === 'config', JSON.stringify(given));
    assert.equal(given.config.port, container.ports[0].containerPort);
    const drain = given.config.drainMs / 1000 + container.lifecycle.preStop.sleep.seconds;
    assert.ok(pod.terminationGracePeriodSeconds > drain, `${pod.terminationGracePeriodSeconds} s for ${drain} s`);
  });

  test('grant no wildcard and no Secret', () => {
    for (const path of globSync('{manifests,kustomize}/**/*.yaml', { cwd: ROOT })) {
      for (const object of objects(path)) {
        for (const rule of object?.rules ?? []) {
          const words: string[] = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
          assert.ok(
            !words.some((word) => word.includes('*') || word.startsWith('secrets')),
            `${path}: ${words.join(' ')}`,
          );
        }
      }
    }
  });
});

describe('the components of the duties', () => {
  for (const kind of DUTIES) {
    test(`${kind}: one verb on one resource for Flork's account, and the variable that switches it on`, () => {
      const folder = `kustomize/components/duty-${kind}`;
      const [role, binding] = objects(`${folder}/rbac.yaml`);
      assert.equal(role.rules.length, 1);
      assert.equal(role.rules[0].verbs.length * role.rules[0].resources.length * role.rules[0].apiGroups.length, 1);
      assert.equal(binding.roleRef.name, role.metadata.name);
      assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'flork', namespace: 'flork-system' }]);
      const [component] = objects(`${folder}/kustomization.yaml`);
      const patched = parseAllDocuments(component.patches[0].patch)[0]?.toJS();
      assert.equal(patched.spec.template.spec.automountServiceAccountToken, true);
      const [given] = patched.spec.template.spec.containers[0].env;
      const read = readConfig({ [given.name]: given.value });
      assert.ok(read.kind === 'config');
      assert.deepEqual(read.config.duties, [kind]);
    });
  }

  test('without them there is no token, no right and no duty', () => {
    assert.equal(pod.automountServiceAccountToken, false);
    const read = readConfig(env);
    assert.ok(read.kind === 'config');
    assert.deepEqual(read.config.duties, []);
    const bound = globSync('{manifests,metacontroller,kustomize/base,kustomize/overlays}/**/*.yaml', { cwd: ROOT })
      .flatMap(objects)
      .filter((object) => object?.subjects?.some((subject: { name: string }) => subject.name === 'flork'));
    assert.deepEqual(bound, []);
  });

  test('build together over the base', { skip: noKubectl }, async () => {
    await withOverlay((folder) => {
      const made = builtIn(
        folder,
        ['../../base'],
        DUTIES.map((kind) => `duty-${kind}`),
      );
      const deployment = made.find((object) => object.kind === 'Deployment');
      const { automountServiceAccountToken, containers } = deployment.spec.template.spec;
      assert.equal(automountServiceAccountToken, true);
      const variables = Object.fromEntries(
        containers[0].env.map((entry: { name: string; value: string }) => [entry.name, entry.value]),
      );
      const read = readConfig(variables);
      assert.ok(read.kind === 'config');
      assert.deepEqual(read.config.duties, [...DUTIES]);
      assert.equal(variables['PORT'], '8080', 'the others are kept');
      const policy = made.find((object) => object.kind === 'NetworkPolicy');
      assert.equal(policy.spec.egress.length, 2 + DUTIES.length);
      assert.equal(made.filter((object) => object.kind === 'ClusterRole').length, DUTIES.length);
    });
  });
});

describe('the component pods-read', () => {
  const VERBS = ['get', 'list', 'watch'];
  type Rule = { readonly resources: readonly string[]; readonly verbs: readonly string[] };
  const grants = (role: { readonly rules: readonly Rule[] }): readonly string[] =>
    role.rules.flatMap(({ resources, verbs }) => resources.map((resource) => `${resource} ${verbs.join(' ')}`));

  test("one verb on pods for Flork's account, and the variable that has it read them", () => {
    const [role, binding] = objects('kustomize/components/pods-read/rbac.yaml');
    assert.deepEqual(role.rules, [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
    assert.equal(binding.roleRef.name, role.metadata.name);
    assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'flork', namespace: 'flork-system' }]);
    const given = readConfig(env);
    assert.ok(given.kind === 'config' && !given.config.readsPods, 'shown without it');
  });

  test('takes from Metacontroller all of its rights to pods, and nothing else', { skip: noKubectl }, async () => {
    await withOverlay((folder) => {
      const others = ['child-ingress', 'token'];
      for (const rights of ['metacontroller-rbac', 'metacontroller']) {
        const role = (...more: readonly string[]) =>
          builtIn(folder, ['../../base'], [rights, ...more]).find(
            (object) => object.kind === 'ClusterRole' && object.metadata.name === 'metacontroller-flork',
          );
        for (const [before, after] of [
          [role(), role('pods-read')],
          [role('tls', ...others), role('tls', ...others, 'pods-read')],
          [role('tls', ...others), role('tls', 'pods-read', ...others)],
        ]) {
          assert.ok(grants(before).includes(`pods ${VERBS.join(' ')}`));
          assert.deepEqual(
            grants(after),
            grants(before).filter((line) => !line.startsWith('pods ')),
          );
        }
      }
    });
  });

  test('gives Flork what it needs to call the API server, beside the duties too', { skip: noKubectl }, async () => {
    await withOverlay((folder) => {
      for (const duties of [[], ['duty-events']]) {
        const made = builtIn(folder, ['../../base'], ['metacontroller-rbac', ...duties, 'pods-read']);
        const { template } = made.find((object) => object.kind === 'Deployment').spec;
        assert.equal(template.spec.automountServiceAccountToken, true);
        const variables = Object.fromEntries(
          template.spec.containers[0].env.map((entry: { name: string; value: string }) => [entry.name, entry.value]),
        );
        const given = readConfig(variables);
        assert.ok(given.kind === 'config' && given.config.readsPods);
        const { egress } = made.find((object) => object.kind === 'NetworkPolicy').spec;
        assert.ok(
          egress.some(
            ({ ports, to }: { ports: readonly { port: number }[]; to?: unknown }) =>
              to === undefined && ports.some(({ port }) => port === 6443),
          ),
        );
      }
    });
  });

  test("builds where Metacontroller's rights are another's business", { skip: noKubectl }, async () => {
    await withOverlay((folder) => {
      const roles = builtIn(folder, ['../../base'], ['pods-read']).filter((object) => object.kind === 'ClusterRole');
      assert.deepEqual(
        roles.map(({ metadata }) => metadata.name),
        ['flork-pods-read'],
      );
    });
  });

  test('does nothing to the rights of tenants, whose hooks are shown the pods', { skip: noKubectl }, async () => {
    await withOverlay(async (folder) => {
      await writeTenants(folder);
      const made = builtIn(folder, ['made'], ['pods-read']);
      const read = made.find((object) => object.metadata.name === 'metacontroller-flork-read');
      assert.ok(grants(read).includes(`pods ${VERBS.join(' ')}`));
      for (const { spec } of made.filter((object) => object.kind === 'Deployment'))
        assert.ok(!JSON.stringify(spec).includes('FLORK_PODS'));
    });
  });
});

describe('the components of optional children', () => {
  test('list their kind, by a right of its own without a wildcard', { skip: noKubectl }, async () => {
    await withOverlay((folder) => {
      for (const { kind, apiVersion, component } of OPTIONAL_KINDS) {
        const made = builtIn(folder, ['../../base'], ['metacontroller-rbac', component]);
        const controller = made.find((object) => object.kind === 'CompositeController');
        const [listed] = controller.spec.childResources.slice(3);
        const plural = new RegExp(`^${kind.toLowerCase().replace(/y$/, 'ie')}e?s$`);
        assert.equal(listed.apiVersion, apiVersion);
        assert.match(listed.resource, plural);
        assert.equal(listed.updateStrategy.method, 'InPlace');
        const rule = made.find((object) => object.kind === 'ClusterRole').rules.at(-1);
        assert.deepEqual(rule.apiGroups, [apiVersion.split('/')[0]]);
        assert.deepEqual(rule.resources, [listed.resource]);
        assert.deepEqual(rule.verbs, ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']);
      }
    });
  });

  test('extend the halves of a tenant by what each is for', { skip: noKubectl }, async () => {
    await withOverlay(async (folder) => {
      await writeTenants(folder);
      const made = builtIn(folder, ['made'], ['child-ingress']);
      const rules = (name: string) => made.find((object) => object.metadata.name === name).rules.at(-1);
      assert.deepEqual(rules('metacontroller-flork-read').verbs, ['get', 'list', 'watch']);
      assert.deepEqual(rules('metacontroller-flork-write').verbs, ['create', 'update', 'patch', 'delete']);
      const controller = made.find((object) => object.kind === 'CompositeController');
      assert.equal(controller.spec.childResources.at(-1).resource, 'ingresses');
    });
  });
});

describe('the component monitoring', () => {
  test('names only metrics and labels that there are', async () => {
    const metrics = createMetrics(new Map([['TLS_CERT_FILE', 1]]));
    metrics.answered('sync', 'rule', 200, 1);
    metrics.decorated('one', 1);
    const text = await metrics.text();
    const [rules] = objects('kustomize/components/monitoring/alerts.yaml');
    for (const { alert, expr } of rules.spec.groups[0].rules) {
      const named: string[] = expr.match(/flork_[a-z_]+/g) ?? [];
      assert.ok(named.length > 0, alert);
      for (const name of named) assert.match(text, new RegExp(`^${name}[{ ]`, 'm'), `${alert}: ${name}`);
      assert.match(read('docs/monitoring.md'), new RegExp(`^\\| \`${alert}\` \\|`, 'm'));
    }
  });

  test('scrapes what the hook serves', () => {
    const [monitor] = objects('kustomize/components/monitoring/pod-monitor.yaml');
    assert.deepEqual(monitor.spec.selector.matchLabels, deployment.spec.selector.matchLabels);
    assert.equal(monitor.spec.podMetricsEndpoints[0].port, container.ports[0].name);
  });
});

describe('the README', () => {
  test('names every variable that the process reads, and no other', () => {
    const known = [...read('src/config.ts').matchAll(/^ {4}([A-Z_]+): /gm)].map(([, name]) => name);
    const table = read('README.md').split('| variable |')[1]?.split('\n\n')[0] ?? '';
    const documented = [...table.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name);
    assert.deepEqual(documented.toSorted(), known.toSorted());
  });

  test('installs in at most ten commands', () => {
    const installation = read('README.md').split('## Installation on a cluster')[1]?.split('```')[1] ?? '';
    const commands = installation.trim().split('\n');
    assert.ok(commands.length > 1 && commands.length <= 10, `${commands.length}`);
  });
});
