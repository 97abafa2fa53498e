import { strict as assert } from 'node:assert';
import { flinkCertificates, giveFlink, giveFlork, MUTUAL_TLS } from '../lib/flink-tls.ts';
import { counterJob, savepointsOnDisk } from '../lib/flink-job.ts';
import { getByTls } from '../lib/https.ts';
import { BOTH_VERSIONS, WITHOUT, type Case } from './case.ts';
import { conditionOf, type Lane, type Subject } from './lane.ts';
import { gone, remove } from './removal.ts';

/** A JobManager whose REST wants mutual TLS, through a life: start, savepoint upgrade, deletion with a savepoint. */

type PodSpec = {
  readonly containers: readonly { readonly volumeMounts: readonly object[] }[];
  readonly volumes: readonly object[];
};

function specOf({ namespace, version }: Lane): Readonly<Record<string, unknown>> {
  const { policies, jobManagerPodSpec } = counterJob('tls', namespace, version)['spec'] as {
    readonly policies: object;
    readonly jobManagerPodSpec: PodSpec;
  };
  const containers = jobManagerPodSpec.containers.map((container) => ({
    ...container,
    volumeMounts: [...container.volumeMounts, MUTUAL_TLS.mount],
  }));
  const volumes = [...jobManagerPodSpec.volumes, MUTUAL_TLS.volume];
  return {
    flinkConf: MUTUAL_TLS.flinkConf,
    jobManagerPodSpec: { ...jobManagerPodSpec, containers, volumes },
    policies: { ...policies, deletion: { savepoint: true } },
  };
}

/** Waits until status says that Flork does not trust the JobManager. */
async function distrusted({ job }: Subject): Promise<string> {
  const found = await job.status('no trust is told', 180, ({ status }) => /not trusted/.test(status?.message ?? ''));
  assert.match(found.status.message, /FLINK_CA_FILE/);
  assert.notEqual(conditionOf(found, 'Ready')?.status, 'True');
  return `told: ${conditionOf(found, 'Ready')?.reason}`;
}

async function life(lane: Lane): Promise<string> {
  const names = [`*.${lane.namespace}.svc`];
  const [ours, others] = [flinkCertificates(...names), flinkCertificates()];
  await giveFlink(lane.namespace, ours);
  // Flink lets Flork in, and Flork does not trust Flink.
  await giveFlork({ ...ours, ca: others.ca });
  const rest = (name: string, path: string): Promise<string> =>
    getByTls({ namespace: lane.namespace, service: `${name}-rest`, port: 8081 }, ours, path);
  return lane.withOwn(
    'tls',
    specOf(lane),
    async (subject) => {
      const note = await distrusted(subject);
      // Taken up without a restart, when the kubelet has brought the files.
      await giveFlork(ours);
      await subject.counts();
      await subject.change();
      await subject.job.status('the upgrade', 240, ({ status }) => status.epoch?.number === 2);
      const after = await subject.counts();
      assert.match(after.restoredFrom ?? '', /savepoint-/);
      await subject.judge('exactly-once');
      await remove(lane, subject.job.name);
      await gone(lane, subject);
      const savepoints = (await savepointsOnDisk(lane.namespace)).filter((path) =>
        path.includes(`-${subject.job.name}-`),
      );
      assert.equal(savepoints.length, 2, 'one of the upgrade, one of the deletion');
      return note;
    },
    rest,
  );
}

export const mutualTlsCases: readonly Case[] = [
  {
    name: 'tls/mutual',
    what: "mutual TLS with Flink's REST: a CA that is not trusted is told, the right one taken up; upgrade and deletion with savepoints",
    versions: BOTH_VERSIONS,
    ha: WITHOUT,
    times: 1,
    seconds: 240,
    run: async (lane) => ({ repeated: 0, note: await life(lane) }),
  },
];
