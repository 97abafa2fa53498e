import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { certs } from '../../src/cli/certs.ts';
import { readConfig, type Config } from '../../src/config.ts';
import { builtIn, noKubectl, withOverlay, writeTenants } from './kustomized.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- manifests of many shapes
type Objects = readonly any[];

const ADMISSION = 'flork-admission.flork-system.svc';
/** What a component goes on top of: the one hook of the production overlay, and those of two tenants. */
const ONE = { resources: ['../../base'], with: ['metacontroller-rbac', 'tls'], hooks: 1 } as const;
const TENANTS = { resources: ['made'], with: [], hooks: 2 } as const;

/** Builds a component on both, and has both looked at. */
async function onBoth(components: readonly string[], look: (made: Objects, folder: string) => void): Promise<void> {
  await withOverlay(async (folder) => {
    await writeTenants(folder, ['--client']);
    for (const { resources, with: others, hooks } of [ONE, TENANTS]) {
      const made = builtIn(folder, resources, [...others, ...components]);
      for (const kind of ['Deployment', 'CompositeController']) assert.equal(all(made, kind).length, hooks);
      look(made, folder);
    }
  });
}

const all = (made: Objects, kind: string): Objects => made.filter((one) => one.kind === kind);

/** What a hook is told, and the Secret that each of its mounted folders holds. */
function hookOf(deployment: Objects[number]): {
  readonly config: Config;
  readonly secretAt: (file?: string) => string;
} {
  const { containers, volumes } = deployment.spec.template.spec;
  const [{ env, volumeMounts }] = containers;
  const read = readConfig(Object.fromEntries(env.map((one: { name: string; value: string }) => [one.name, one.value])));
  assert.ok(read.kind === 'config', JSON.stringify(read));
  const secretAt = (file = ''): string => {
    const mount = volumeMounts.find((one: { mountPath: string }) => one.mountPath === dirname(file));
    return volumes.find((one: { name: string }) => one.name === mount?.name)?.secret?.secretName;
  };
  return { config: read.config, secretAt };
}

/** Whoever reads in the name of a Metacontroller may read Secrets, and whoever writes may not write them. */
function secretsAreRead(made: Objects): void {
  const roles = all(made, 'ClusterRole').filter(({ metadata }) => metadata.name.startsWith('metacontroller-flork'));
  const verbs = roles.map(({ metadata, rules }) => {
    const own = rules.filter((rule: { resources: readonly string[] }) => rule.resources.includes('secrets'));
    return [metadata.name, own.flatMap((rule: { verbs: readonly string[] }) => rule.verbs).join(' ')];
  });
  const read = 'get list watch';
  const split = { 'metacontroller-flork-read': read, 'metacontroller-flork-write': '' };
  assert.deepEqual(Object.fromEntries(verbs), roles.length === 1 ? { 'metacontroller-flork': read } : split);
}

describe('components that say who calls the hook, on one hook and on those of tenants', { skip: noKubectl }, () => {
  test('token: every hook wants the token of one Secret, and every Metacontroller sends it', async () => {
    await onBoth(['token'], (made) => {
      for (const { config, secretAt } of all(made, 'Deployment').map(hookOf)) {
        assert.equal(config.tokenFiles.length, 2);
        for (const file of config.tokenFiles) assert.equal(secretAt(file), 'flork-hook-token');
      }
      const secretRef = { name: 'flork-hook-token', namespace: 'flork-system', key: 'current' };
      for (const { spec } of all(made, 'CompositeController'))
        assert.deepEqual(spec.endpointConfigs[0].authorization, { secretRef });
      secretsAreRead(made);
    });
  });

  test('mtls: every hook wants a certificate of its own CA, and every Metacontroller shows the one that there is', async () => {
    await onBoth(['mtls'], (made, folder) => {
      for (const { config, secretAt } of all(made, 'Deployment').map(hookOf)) {
        const { clientCaFile, certFile } = config.tls ?? assert.fail('no TLS');
        assert.equal(clientCaFile, join(dirname(certFile), 'ca.crt'));
        assert.ok(secretAt(clientCaFile).endsWith('-tls'));
      }
      const secretRef = { name: 'flork-client-tls', namespace: 'flork-system' };
      for (const { spec } of all(made, 'CompositeController'))
        assert.deepEqual(spec.endpointConfigs[0].clientTLS, { secretRef });
      secretsAreRead(made);
      const ca = new X509Certificate(readFileSync(join(folder, 'made/ca/ca.crt')));
      const client = secretsIn(folder).find(({ metadata }) => metadata.name === secretRef.name);
      assert.ok(new X509Certificate(client.stringData['tls.crt']).verify(ca.publicKey));
    });
  });

  test('cert-manager: every hook serves the certificate that it makes, under a name that the certificate has', async () => {
    await onBoth(['cert-manager'], (made) => {
      const certificate = made.find((one) => one.kind === 'Certificate' && one.metadata.name === 'flork');
      const names: readonly string[] = certificate.spec.dnsNames;
      const isNamed = (host: string): boolean => names.includes(host) || names.includes(host.replace(/^[^.]+/, '*'));
      for (const { config, secretAt } of all(made, 'Deployment').map(hookOf))
        for (const file of [config.tls?.certFile, config.tls?.keyFile])
          assert.equal(secretAt(file), certificate.spec.secretName);
      const secretRef = { name: certificate.spec.secretName, namespace: 'flork-system', key: 'ca.crt' };
      for (const { spec } of all(made, 'CompositeController')) {
        assert.deepEqual(spec.endpointConfigs[0].caBundle, { secretRef });
        for (const { webhook } of Object.values<{ webhook: { url: string } }>(spec.hooks)) {
          const { protocol, hostname } = new URL(webhook.url);
          assert.equal(protocol, 'https:');
          assert.ok(isNamed(hostname), hostname);
        }
      }
      assert.ok(isNamed(ADMISSION));
      secretsAreRead(made);
    });
  });

  test('token, mtls and cert-manager together keep what each says', async () => {
    await onBoth(['token', 'mtls', 'cert-manager'], (made) => {
      for (const { spec } of all(made, 'CompositeController'))
        assert.deepEqual(Object.keys(spec.endpointConfigs[0]).toSorted(), [
          'authorization',
          'caBundle',
          'clientTLS',
          'host',
        ]);
      for (const { config } of all(made, 'Deployment').map(hookOf))
        assert.ok(config.tokenFiles.length === 2 && config.tls?.clientCaFile !== undefined);
    });
  });
});

describe('the component admission, on one hook and on those of tenants', { skip: noKubectl }, () => {
  test('every hook answers, behind the one Service that the API server calls', async () => {
    await onBoth(['admission'], (made) => {
      const [webhook, ...others] = all(made, 'ValidatingWebhookConfiguration');
      assert.equal(others.length, 0);
      const { name, path } = webhook.webhooks[0].clientConfig.service;
      assert.deepEqual([`${name}.flork-system.svc`, path], [ADMISSION, '/validate']);
      const named = (kind: string) => all(made, kind).find(({ metadata }) => metadata.name === name);
      for (const deployment of all(made, 'Deployment')) {
        const { labels } = deployment.spec.template.metadata;
        for (const selector of [named('Service').spec.selector, named('NetworkPolicy').spec.podSelector.matchLabels])
          for (const [key, value] of Object.entries(selector)) assert.equal(labels[key], value);
        const port = deployment.spec.template.spec.containers[0].ports.find(
          (one: { name: string }) => one.name === named('Service').spec.ports[0].targetPort,
        );
        assert.equal(hookOf(deployment).config.admissionPort, port.containerPort);
      }
    });
  });

  test('the certificates of tenants are for that Service, and the API server gets their CA by a component', async () => {
    await withOverlay(async (folder) => {
      await writeTenants(folder);
      for (const { stringData } of secretsIn(folder))
        assert.equal(new X509Certificate(stringData['tls.crt']).checkHost(ADMISSION), ADMISSION);
      const words = ['--ca', join(folder, 'made/ca'), '--component', join(folder, 'trust'), '--without-secrets'];
      assert.equal(await certs(words), 0);
      const made = builtIn(folder, ['made'], ['admission', './trust']);
      const ca = readFileSync(join(folder, 'made/ca/ca.crt'), 'utf8');
      const [{ webhooks }] = all(made, 'ValidatingWebhookConfiguration');
      assert.equal(Buffer.from(webhooks[0].clientConfig.caBundle, 'base64').toString(), ca);
      for (const { spec } of all(made, 'CompositeController'))
        assert.deepEqual(spec.endpointConfigs[0].caBundle, { inline: ca });
      assert.equal(all(made, 'Secret').length, 0);
    });
  });
});

describe('the component tenant-profile, on one hook and on those of tenants', { skip: noKubectl }, () => {
  const PROFILE = 'flork-tenant-profile';
  /** The folder where a hook looks for the profile, and the ConfigMap that is mounted there. */
  const profileAt = (deployment: Objects[number]): readonly [string | undefined, string | undefined] => {
    const { containers, volumes } = deployment.spec.template.spec;
    const { config } = hookOf(deployment);
    const mount = containers[0].volumeMounts.find(
      (one: { mountPath: string }) => one.mountPath === config.profileFolder,
    );
    const volume = volumes.find((one: { name: string }) => one.name === mount?.name);
    return [config.profileFolder, volume?.configMap?.name];
  };

  test('every hook holds pods against it', async () => {
    await onBoth(['tenant-profile'], (made) => {
      assert.ok(all(made, 'ConfigMap').some(({ metadata }) => metadata.name === PROFILE));
      for (const deployment of all(made, 'Deployment'))
        assert.deepEqual(profileAt(deployment), ['/etc/flork/tenant-profile', PROFILE]);
    });
  });

  test('a patch leaves the hook of one tenant without it, as the documents say', async () => {
    const [, section = ''] = readFileSync(join(import.meta.dirname, '../../docs/admission.md'), 'utf8').split(
      'The profile holds for all namespaces',
    );
    const [, text = ''] = /```yaml\n([^]*?)```/.exec(section.replaceAll('flork-trusted', 'flork-two')) ?? [];
    await withOverlay(async (folder) => {
      await writeTenants(folder);
      const made = builtIn(folder, ['made'], ['tenant-profile'], parse(text) as object);
      const folders = all(made, 'Deployment').map((one) => [one.metadata.name, profileAt(one)[0]]);
      assert.deepEqual(Object.fromEntries(folders), {
        'flork-one': '/etc/flork/tenant-profile',
        'flork-two': undefined,
      });
    });
  });
});

test('monitoring asks the hooks of tenants by HTTPS, as the documents say', { skip: noKubectl }, async () => {
  const [, section = ''] = readFileSync(join(import.meta.dirname, '../../docs/tenants.md'), 'utf8').split(
    '## TLS and admission',
  );
  const [, text = ''] = /```yaml\n([^]*?)```/.exec(section.replaceAll('flork-first-tls', 'flork-one-tls')) ?? [];
  await withOverlay(async (folder) => {
    await writeTenants(folder);
    const made = builtIn(folder, ['made'], ['monitoring'], parse(text) as object);
    const [{ spec, metadata }] = all(made, 'PodMonitor');
    const [{ scheme, tlsConfig, port }] = spec.podMetricsEndpoints;
    assert.equal(scheme, 'https');
    const secrets = secretsIn(folder);
    const { stringData } = secrets.find((secret) => secret.metadata.name === tlsConfig.ca.secret.name);
    const ca = new X509Certificate(stringData[tlsConfig.ca.secret.key]);
    for (const { metadata: of, spec: hook } of all(made, 'Deployment')) {
      const { labels } = hook.template.metadata;
      for (const [key, value] of Object.entries(spec.selector.matchLabels)) assert.equal(labels[key], value);
      assert.equal(of.namespace, metadata.namespace);
      assert.ok(hook.template.spec.containers[0].ports.some(({ name }: { name: string }) => name === port));
      const own = secrets.find((secret) => secret.metadata.name === `${of.name}-tls`);
      const certificate = new X509Certificate(own.stringData['tls.crt']);
      assert.equal(certificate.checkHost(tlsConfig.serverName), tlsConfig.serverName);
      assert.ok(certificate.verify(ca.publicKey));
    }
  });
});

function secretsIn(folder: string): Objects {
  return parseAllDocuments(readFileSync(join(folder, 'made/secrets.yaml'), 'utf8')).map((one) => one.toJS());
}
