/* oxlint-disable max-lines -- one table: each rule where it answers and where it stays silent */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { RULES } from '../../../../src/core/validate/rules.ts';
import { validateSpec } from '../../../../src/core/validate/validate-spec.ts';

/** A spec with nothing wrong; the cases are laid over it. */
const GOOD = { image: 'flink:2.2', jarURI: 'local:///opt/flink/usrlib/job.jar' };

type Case = {
  readonly name: string;
  /** YAML laid over GOOD; a null takes a field away. */
  readonly spec?: string;
  readonly job?: string;
  /** Paths at which the rule answers; none: it stays silent. */
  readonly at: readonly string[];
};

const conf = (key: string) => `spec.flinkConf["${key}"]`;

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'job-name': [
    { name: 'a name of 46 characters is too long', job: 'a'.repeat(46), at: ['metadata.name'] },
    { name: 'a name that begins with a digit', job: '1st', at: ['metadata.name'] },
    { name: 'a name that ends with a dash', job: 'job-', at: ['metadata.name'] },
    { name: 'a name with a dot', job: 'a.b', at: ['metadata.name'] },
    { name: 'a name of 45 characters', job: 'a'.repeat(45), at: [] },
    { name: 'a name of one letter', job: 'a', at: [] },
  ],
  'image-given': [
    { name: 'no image anywhere', spec: '{image: null, flinkVersion: "2.2"}', at: ['spec.image'] },
    {
      name: 'an image for the JobManager alone',
      spec: '{image: null, jobManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2"}]}, taskManagerPodSpec: {}}',
      at: ['spec.image'],
    },
    {
      name: 'the image in flinkConf',
      spec: '{image: null, flinkConf: {kubernetes.container.image: "flink:2.2"}}',
      at: [],
    },
    {
      name: 'the JobManager’s pod spec serves both roles',
      spec: '{image: null, jobManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2"}]}}',
      at: [],
    },
  ],
  'one-image': [
    {
      name: 'a container with another image than the spec',
      spec: '{jobManagerPodSpec: {containers: [{name: flink-main-container, image: "other:2.2"}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].image'],
    },
    {
      name: 'flinkConf with another image than the spec',
      spec: '{flinkConf: {kubernetes.container.image: "other:2.2"}}',
      at: [conf('kubernetes.container.image')],
    },
    {
      name: 'the same image at two places, another one in a side-car',
      spec: '{jobManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2"}, {name: log, image: "log:1"}]}}',
      at: [],
    },
  ],
  'flink-version': [
    { name: 'an image tag that tells no version', spec: '{image: "team/job:latest"}', at: ['spec.flinkVersion'] },
    {
      name: 'an image of an unsupported version',
      spec: '{image: "flink:1.14.3-scala_2.12-java8"}',
      at: ['spec.flinkVersion'],
    },
    { name: 'an image tag that tells the version', spec: '{image: "flink:1.20.4-scala_2.12-java17"}', at: [] },
    { name: 'flinkVersion with a tag of the user’s own', spec: '{image: "team/job:7", flinkVersion: "2.2"}', at: [] },
  ],
  'same-version': [
    {
      name: 'two roles of two versions',
      spec: `{image: null, jobManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2"}]},
        taskManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.1"}]}}`,
      at: ['spec.taskManagerPodSpec'],
    },
    {
      name: 'two images of one version',
      spec: `{image: null, jobManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2"}]},
        taskManagerPodSpec: {containers: [{name: flink-main-container, image: "flink:2.2.1"}]}}`,
      at: [],
    },
  ],
  'one-jar': [
    {
      name: 'jarURI and another pipeline.jars',
      spec: '{flinkConf: {pipeline.jars: "local:///b.jar"}}',
      at: [conf('pipeline.jars')],
    },
    {
      name: 'two jars',
      spec: '{jarURI: null, flinkConf: {pipeline.jars: ["local:///a.jar", "local:///b.jar"]}}',
      at: [conf('pipeline.jars')],
    },
    { name: 'pipeline.jars alone', spec: '{jarURI: null, flinkConf: {pipeline.jars: "local:///b.jar"}}', at: [] },
    { name: 'no jar at all', spec: '{jarURI: null}', at: [] },
  ],
  'jar-uri': [
    { name: 'a path without a scheme', spec: '{jarURI: /opt/flink/usrlib/job.jar}', at: ['spec.jarURI'] },
    { name: 'plain http', spec: '{jarURI: "http://host/job.jar"}', at: ['spec.jarURI'] },
    {
      name: 'a path in pipeline.jars',
      spec: '{jarURI: null, flinkConf: {pipeline: {jars: job.jar}}}',
      at: [conf('pipeline.jars')],
    },
    {
      name: 'plain http where the user allowed it',
      spec: '{jarURI: "http://host/job.jar", flinkConf: {user.artifacts.raw-http-enabled: true}}',
      at: [],
    },
    { name: 's3', spec: '{jarURI: "s3://bucket/job.jar"}', at: [] },
  ],
  'python-alone': [
    {
      name: 'python beside a jar and a class',
      spec: '{jobClassName: A, python: {module: a}}',
      at: ['spec.jarURI', 'spec.jobClassName'],
    },
    { name: 'python by itself', spec: '{jarURI: null, python: {module: a}}', at: [] },
  ],
  'python-start': [
    { name: 'neither script nor module', spec: '{jarURI: null, python: {files: [a.py]}}', at: ['spec.python'] },
    { name: 'script and module', spec: '{jarURI: null, python: {script: a.py, module: a}}', at: ['spec.python'] },
    { name: 'a script', spec: '{jarURI: null, python: {script: a.py}}', at: [] },
  ],
  'owned-key': [
    { name: 'a flat key', spec: '{flinkConf: {kubernetes.namespace: a}}', at: [conf('kubernetes.namespace')] },
    { name: 'a nested key', spec: '{flinkConf: {kubernetes: {namespace: a}}}', at: [conf('kubernetes.namespace')] },
    {
      name: 'an internal key',
      spec: '{flinkConf: {"$internal.pipeline.job-id": a}}',
      at: [conf('$internal.pipeline.job-id')],
    },
    {
      name: 'the restore path in both spellings',
      spec: '{flinkConf: {execution.savepoint.path: /s, execution: {state-recovery: {path: /s}}}}',
      at: [conf('execution.savepoint.path'), conf('execution.state-recovery.path')],
    },
    {
      name: 'a pod template and a result store',
      spec: '{flinkConf: {kubernetes.pod-template-file.jobmanager: /a, job-result-store.storage-path: /b}}',
      at: [conf('job-result-store.storage-path'), conf('kubernetes.pod-template-file.jobmanager')],
    },
    { name: 'keys that look alike', spec: '{flinkConf: {rest.port-range: 1, execution.runtime-mode: BATCH}}', at: [] },
  ],
  'conf-dir': [
    {
      name: 'a folder of one’s own',
      spec: '{flinkConf: {kubernetes.flink.conf.dir: /opt/flork/conf}}',
      at: [conf('kubernetes.flink.conf.dir')],
    },
    { name: 'Flink’s default', spec: '{flinkConf: {kubernetes.flink.conf.dir: /opt/flink/conf}}', at: [] },
  ],
  'native-key': [
    {
      name: 'a key of the Flink Kubernetes Operator',
      spec: '{flinkConf: {kubernetes.operator.job.restart.failed: true}}',
      at: [conf('kubernetes.operator.job.restart.failed')],
    },
    { name: 'a key that nobody knows', spec: '{flinkConf: {kubernetes.colour: red}}', at: [conf('kubernetes.colour')] },
    {
      name: 'keys that mean something',
      spec: '{flinkConf: {kubernetes.service-account: a, kubernetes.jobmanager.cpu: 1, kubernetes.taskmanager.tolerations: "key:a", kubernetes.secrets: "a:/b", kubernetes.client.io-pool.size: 4}}',
      at: [],
    },
  ],
  'key-twice': [
    { name: 'flat and nested differ', spec: '{flinkConf: {a.b: 1, a: {b: 2}}}', at: [conf('a.b')] },
    { name: 'flat and nested agree', spec: '{flinkConf: {a.b: 1, a: {b: 1}}}', at: [] },
  ],
  'renamed-key': [
    {
      name: 'old and new differ',
      spec: '{flinkConf: {state.checkpoints.dir: /a, execution.checkpointing.dir: /b}}',
      at: [conf('state.checkpoints.dir')],
    },
    {
      name: 'akka and pekko differ',
      spec: '{flinkConf: {akka.ask.timeout: 1s, pekko.ask.timeout: 2s}}',
      at: [conf('akka.ask.timeout')],
    },
    {
      name: 'old and new agree',
      spec: '{flinkConf: {state.checkpoints.dir: /a, execution.checkpointing.dir: /a}}',
      at: [],
    },
  ],
  'removed-key': [
    {
      name: 'a key that 2.0 dropped',
      spec: '{flinkConf: {security.ssl.enabled: true}}',
      at: [conf('security.ssl.enabled')],
    },
    { name: 'the same on 1.20', spec: '{image: "flink:1.20", flinkConf: {security.ssl.enabled: true}}', at: [] },
  ],
  'field-and-key': [
    {
      name: 'parallelism differs from its key',
      spec: '{parallelism: 2, flinkConf: {parallelism.default: 3}}',
      at: ['spec.parallelism'],
    },
    {
      name: 'the savepoint directory differs from its old key',
      spec: '{policies: {savepoint: {directory: /a}}, flinkConf: {state.savepoints.dir: /b}}',
      at: ['spec.policies.savepoint.directory'],
    },
    {
      name: 'the service account differs from its key',
      spec: '{jobManagerPodSpec: {serviceAccountName: a}, flinkConf: {kubernetes.jobmanager.service-account: b}}',
      at: ['spec.jobManagerPodSpec.serviceAccountName'],
    },
    { name: 'field and key agree', spec: '{parallelism: 2, flinkConf: {parallelism: {default: "2"}}}', at: [] },
  ],
  'conf-key': [
    { name: 'a key with a blank', spec: '{flinkConf: {"a b": 1}}', at: [conf('a b')] },
    { name: 'a key that ends with a dot', spec: '{flinkConf: {"a.": 1}}', at: [conf('a.')] },
    { name: 'a key of a metric reporter', spec: '{flinkConf: {metrics.reporter.prom_2.factory.class: a}}', at: [] },
  ],
  'conf-value': [
    {
      name: 'a memory size that is none',
      spec: '{flinkConf: {jobmanager.memory.process.size: lots}}',
      at: [conf('jobmanager.memory.process.size')],
    },
    {
      name: 'no slots',
      spec: '{flinkConf: {taskmanager.numberOfTaskSlots: 0}}',
      at: [conf('taskmanager.numberOfTaskSlots')],
    },
    {
      name: 'a fraction above 1',
      spec: '{flinkConf: {taskmanager.memory.managed.fraction: 1.5}}',
      at: [conf('taskmanager.memory.managed.fraction')],
    },
    {
      name: 'an interval that is none',
      spec: '{flinkConf: {execution.checkpointing.interval: often}}',
      at: [conf('execution.checkpointing.interval')],
    },
    {
      name: 'a bind address that no other pod reaches',
      spec: '{flinkConf: {rest.bind-address: localhost}}',
      at: [conf('rest.bind-address')],
    },
    {
      name: 'errors of main() hidden',
      spec: '{flinkConf: {execution.submit-failed-job-on-application-error: false}}',
      at: [conf('execution.submit-failed-job-on-application-error')],
    },
    {
      name: 'sizes as Flink or Kubernetes write them',
      spec: '{flinkConf: {jobmanager.memory.process.size: 1600m, taskmanager.memory.process.size: 2Gi, taskmanager.memory.managed.fraction: 0.2, execution.checkpointing.interval: 10 s}}',
      at: [],
    },
  ],
  'legacy-value': [
    { name: 'a # before 2.0', spec: '{image: "flink:1.20", flinkConf: {a: "x#y"}}', at: [conf('a')] },
    { name: 'a line end before 2.0', spec: '{image: "flink:1.19", flinkConf: {a: "x\\ny"}}', at: [conf('a')] },
    { name: 'a list of maps before 2.0', spec: '{image: "flink:1.20", flinkConf: {a: [{b: 1}]}}', at: [conf('a')] },
    { name: 'all of that from 2.0 on', spec: '{flinkConf: {a: "x#y\\nz", b: [{c: 1}]}}', at: [] },
  ],
  'value-from': [
    {
      name: 'a reference without a key',
      spec: '{flinkConf: {a: {valueFrom: {secretKeyRef: {name: s}}}}}',
      at: [conf('a.valueFrom')],
    },
    {
      name: 'a reference of an unknown kind',
      spec: '{flinkConf: {a: {valueFrom: {fieldRef: {name: s, key: k}}}}}',
      at: [conf('a.valueFrom')],
    },
    {
      name: 'a reference to a Secret',
      spec: '{flinkConf: {a: {valueFrom: {secretKeyRef: {name: s, key: k}}}}}',
      at: [],
    },
  ],
  'ha-storage': [
    {
      name: 'high availability without storage',
      spec: '{flinkConf: {high-availability: kubernetes}}',
      at: [conf('high-availability')],
    },
    {
      name: 'high availability with storage',
      spec: '{flinkConf: {high-availability.type: kubernetes, high-availability.storageDir: "s3://b/ha"}}',
      at: [],
    },
    { name: 'no high availability', spec: '{flinkConf: {high-availability.type: NONE}}', at: [] },
  ],
  'owned-label': [
    {
      name: 'a label and an annotation of Flork’s own',
      spec: '{jobManagerPodMeta: {labels: {flork.itom.com/job: a}}, taskManagerPodMeta: {annotations: {flork.itom.com/epoch: "1"}}}',
      at: [
        'spec.jobManagerPodMeta.labels["flork.itom.com/job"]',
        'spec.taskManagerPodMeta.annotations["flork.itom.com/epoch"]',
      ],
    },
    { name: 'a label of one’s own', spec: '{jobManagerPodMeta: {labels: {team: a}}}', at: [] },
  ],
  'label-form': [
    {
      name: 'a value with a blank and keys that are none',
      spec: '{jobManagerPodMeta: {labels: {a: b c, a/b/c: d}, annotations: {a b: c}}}',
      at: [
        'spec.jobManagerPodMeta.annotations["a b"]',
        'spec.jobManagerPodMeta.labels["a"]',
        'spec.jobManagerPodMeta.labels["a/b/c"]',
      ],
    },
    {
      name: 'labels and annotations as Kubernetes takes them',
      spec: '{jobManagerPodMeta: {labels: {app.kubernetes.io/part-of: a_b.c, empty: ""}, annotations: {x: any text}}}',
      at: [],
    },
  ],
  'lasting-pod': [
    {
      name: 'a pod that would end',
      spec: '{jobManagerPodSpec: {restartPolicy: Never, activeDeadlineSeconds: 60}}',
      at: ['spec.jobManagerPodSpec.activeDeadlineSeconds', 'spec.jobManagerPodSpec.restartPolicy'],
    },
    { name: 'a pod that says Always', spec: '{jobManagerPodSpec: {restartPolicy: Always}}', at: [] },
  ],
  'container-image': [
    {
      name: 'a side-car and an init container without an image',
      spec: '{jobManagerPodSpec: {initContainers: [{name: a}], containers: [{name: b}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].image', 'spec.jobManagerPodSpec.initContainers[0].image'],
    },
    { name: 'the main container', spec: '{jobManagerPodSpec: {containers: [{name: flink-main-container}]}}', at: [] },
  ],
  'container-name': [
    {
      name: 'a name that is no DNS label',
      spec: '{jobManagerPodSpec: {containers: [{name: Log_1, image: a}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].name'],
    },
    { name: 'a name', spec: '{jobManagerPodSpec: {containers: [{name: log-1, image: a}]}}', at: [] },
  ],
  'mounted-volume': [
    {
      name: 'a mount without its volume',
      spec: '{jobManagerPodSpec: {volumes: [{name: a}], containers: [{name: flink-main-container, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}]}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].volumeMounts[1].name'],
    },
    {
      name: 'a mount of a Secret that flinkConf brings',
      spec: '{flinkConf: {kubernetes.secrets: "s:/s"}, jobManagerPodSpec: {containers: [{name: log, image: a, volumeMounts: [{name: s-volume, mountPath: /s}]}]}}',
      at: [],
    },
  ],
  'container-names': [
    {
      name: 'a container named like an init container',
      spec: '{jobManagerPodSpec: {initContainers: [{name: a}], containers: [{name: a}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].name'],
    },
    {
      name: 'containers of two roles',
      spec: '{jobManagerPodSpec: {containers: [{name: a, image: b}]}, taskManagerPodSpec: {containers: [{name: a, image: b}]}}',
      at: [],
    },
  ],
  quantity: [
    {
      name: 'a quantity that is none',
      spec: '{jobManagerResources: {limits: {memory: 1GB}}}',
      at: ['spec.jobManagerResources.limits.memory'],
    },
    {
      name: 'a negative quantity in a container',
      spec: '{taskManagerPodSpec: {containers: [{name: a, resources: {requests: {cpu: -1}}}]}}',
      at: ['spec.taskManagerPodSpec.containers[0].resources.requests.cpu'],
    },
    { name: 'quantities', spec: '{jobManagerResources: {limits: {memory: 1Gi, cpu: 0.5}}}', at: [] },
  ],
  'request-within-limit': [
    {
      name: 'a request above the limit',
      spec: '{taskManagerResources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}',
      at: ['spec.taskManagerResources.requests.memory'],
    },
    {
      name: 'a request like the limit',
      spec: '{taskManagerResources: {requests: {memory: 1024Mi, cpu: 1}, limits: {memory: 1Gi}}}',
      at: [],
    },
  ],
  'one-resources': [
    {
      name: 'the shorthand differs from the container',
      spec: `{jobManagerResources: {limits: {cpu: 1}}, taskManagerPodSpec: {},
        jobManagerPodSpec: {containers: [{name: flink-main-container, resources: {limits: {cpu: 2}}}]}}`,
      at: ['spec.jobManagerResources'],
    },
    {
      name: 'the shorthand says the same in other words',
      spec: '{jobManagerResources: {limits: {cpu: 1}}, jobManagerPodSpec: {containers: [{name: flink-main-container, resources: {limits: {cpu: 1000m}}}]}}',
      at: [],
    },
  ],
  'memory-within-limit': [
    {
      name: 'a process larger than its container',
      spec: '{jobManagerResources: {limits: {memory: 1Gi}}, flinkConf: {jobmanager.memory.process.size: 2g}}',
      at: [conf('jobmanager.memory.process.size')],
    },
    {
      name: 'a process as large as its container',
      spec: '{jobManagerResources: {limits: {memory: 1Gi}}, flinkConf: {jobmanager.memory.process.size: 1g}}',
      at: [],
    },
  ],
  'memory-minimum': [
    {
      name: 'a TaskManager limit that Flink cannot divide',
      spec: '{taskManagerResources: {limits: {memory: 768Mi}}}',
      at: ['spec.taskManagerResources.limits.memory'],
    },
    {
      name: 'a JobManager that is all metaspace and overhead',
      spec: '{flinkConf: {jobmanager.memory.process.size: 576m}}',
      at: [conf('jobmanager.memory.process.size')],
    },
    {
      name: 'the least that Flink divides',
      spec: '{jobManagerResources: {limits: {memory: 577Mi}}, taskManagerResources: {limits: {memory: 849Mi}}}',
      at: [],
    },
    {
      name: 'small, with smaller parts',
      spec: '{taskManagerResources: {limits: {memory: 768Mi}}, flinkConf: {taskmanager.memory.managed.size: 0}}',
      at: [],
    },
    {
      name: 'sized by its heap',
      spec: '{jobManagerResources: {limits: {memory: 512Mi}}, flinkConf: {jobmanager.memory.heap.size: 128m}}',
      at: [],
    },
  ],
  'main-container-args': [
    {
      name: 'arguments of Flink’s container',
      spec: '{jobManagerPodSpec: {containers: [{name: flink-main-container, args: [standalone-job]}]}}',
      at: ['spec.jobManagerPodSpec.containers[0].args'],
    },
    {
      name: 'arguments of another container, and a command of Flink’s',
      spec: '{jobManagerPodSpec: {containers: [{name: flink-main-container, command: [/wrap.sh]}, {name: log, image: "busybox:1", args: [tail]}]}}',
      at: [],
    },
  ],
  'enough-slots': [
    {
      name: 'more parallelism than slots',
      spec: '{parallelism: 5, taskManagerReplicas: 2, flinkConf: {taskmanager.numberOfTaskSlots: 2}}',
      at: ['spec.parallelism'],
    },
    {
      name: 'the same by key',
      spec: '{taskManagerReplicas: 1, flinkConf: {parallelism.default: 2}}',
      at: ['spec.parallelism'],
    },
    {
      name: 'enough slots',
      spec: '{parallelism: 4, taskManagerReplicas: 2, flinkConf: {taskmanager: {numberOfTaskSlots: 2}}}',
      at: [],
    },
    { name: 'parallelism that follows the replicas', spec: '{taskManagerReplicas: 0}', at: [] },
  ],
  'restore-from': [
    { name: 'a nonce without a snapshot', spec: '{restore: {nonce: 1}}', at: ['spec.restore.nonce'] },
    { name: 'a nonce with a snapshot', spec: '{restore: {nonce: 1, from: /s}}', at: [] },
  ],
  'savepoint-directory': [
    {
      name: 'savepoint mode without a directory',
      spec: '{policies: {upgrade: {mode: savepoint}}}',
      at: ['spec.policies.upgrade.mode'],
    },
    {
      name: 'savepoint mode with the old key',
      spec: '{policies: {upgrade: {mode: savepoint}}, flinkConf: {state.savepoints.dir: /s}}',
      at: [],
    },
    { name: 'stateless mode', spec: '{policies: {upgrade: {mode: stateless}}}', at: [] },
  ],
  'savepoint-path': [
    {
      name: 'a relative directory',
      spec: '{policies: {savepoint: {directory: savepoints}}}',
      at: ['spec.policies.savepoint.directory'],
    },
    {
      name: 'a path, and a path as Flink prints it',
      spec: '{policies: {savepoint: {directory: /s}}, restore: {from: "file:/s/savepoint-1"}}',
      at: [],
    },
  ],
  'file-names': [
    {
      name: 'the configuration itself and a path',
      spec: '{additionalConfFiles: {config.yaml: a, a/b: c}}',
      at: ['spec.additionalConfFiles["a/b"]', 'spec.additionalConfFiles["config.yaml"]'],
    },
    { name: 'a file', spec: '{additionalConfFiles: {log4j-console.properties: a}}', at: [] },
  ],
  'file-sizes': [
    {
      name: 'a large file',
      spec: `{additionalConfFiles: {a.txt: ${'ä'.repeat(60_000)}}}`,
      at: ['spec.additionalConfFiles["a.txt"]'],
    },
    { name: 'a middling file', spec: `{additionalConfFiles: {a.txt: ${'a'.repeat(100_000)}}}`, at: [] },
  ],
  'policy-duration': [
    {
      name: 'a bare number, a word, a unit of Flink',
      spec: '{policies: {upgrade: {readiness: "5"}, scaleCooldown: soon, deletion: {timeout: 5min}}}',
      at: ['spec.policies.deletion.timeout', 'spec.policies.scaleCooldown', 'spec.policies.upgrade.readiness'],
    },
    {
      name: 'seconds, minutes, hours and days',
      spec: '{policies: {upgrade: {readiness: 90s, maxCheckpointAge: 30m}, health: {window: 6h}, savepoint: {history: {age: 7d}}}}',
      at: [],
    },
  ],
  schedule: [
    {
      name: 'a word, four fields, a minute that never comes, less than a minute',
      spec: '{policies: {savepoint: {directory: "s3://b/s", schedule: "* * * *"}, checkpoint: {schedule: "0 0 30 2 *"}}}',
      at: ['spec.policies.checkpoint.schedule', 'spec.policies.savepoint.schedule'],
    },
    {
      name: 'less than a minute',
      spec: '{policies: {checkpoint: {schedule: 30s}}}',
      at: ['spec.policies.checkpoint.schedule'],
    },
    {
      name: 'savepoints without a place',
      spec: '{policies: {savepoint: {schedule: 6h}, deletion: {savepoint: true}}}',
      at: ['spec.policies.deletion.savepoint', 'spec.policies.savepoint.schedule'],
    },
    {
      name: 'a duration, and a cron line',
      spec: '{policies: {savepoint: {directory: "s3://b/s", schedule: 6h}, checkpoint: {schedule: "*/10 8-18 * * mon-fri"}, deletion: {savepoint: true}}}',
      at: [],
    },
  ],
  'standby-needs-high-availability': [
    { name: 'two JobManagers alone', spec: '{jobManagerReplicas: 2}', at: ['spec.jobManagerReplicas'] },
    {
      name: 'two JobManagers with high availability switched off',
      spec: '{jobManagerReplicas: 2, flinkConf: {high-availability: NONE}}',
      at: ['spec.jobManagerReplicas'],
    },
    {
      name: 'two JobManagers with high availability',
      spec: '{jobManagerReplicas: 2, flinkConf: {high-availability.type: kubernetes, high-availability.storageDir: "s3://b/ha"}}',
      at: [],
    },
    { name: 'one JobManager', spec: '{jobManagerReplicas: 1}', at: [] },
  ],
  'web-address': [
    { name: 'a host with a blank', spec: '{ingress: {host: No Host}}', at: ['spec.ingress.host'] },
    { name: 'a placeholder that is none', spec: '{ingress: {host: "{{other}}.a"}}', at: ['spec.ingress.host'] },
    { name: 'a path from nowhere', spec: '{ingress: {host: a, path: flink}}', at: ['spec.ingress.path'] },
    {
      name: 'a host name and a path of a route',
      spec: '{httpRoute: {parentRefs: [{name: a}], hostnames: [a, b_], path: ""}}',
      at: ['spec.httpRoute.hostnames[1]', 'spec.httpRoute.path'],
    },
    {
      name: 'hosts and paths',
      spec: '{ingress: {host: "{{name}}.{{namespace}}.a", path: /}, httpRoute: {parentRefs: [{name: a}], hostnames: ["*.a.b"]}}',
      at: [],
    },
  ],
  'route-parent': [
    { name: 'a route to no Gateway', spec: '{httpRoute: {parentRefs: []}}', at: ['spec.httpRoute.parentRefs'] },
    { name: 'a route to one', spec: '{httpRoute: {parentRefs: [{name: a}]}}', at: [] },
  ],
  'max-unavailable': [
    {
      name: 'fewer than none',
      spec: '{podDisruptionBudget: {maxUnavailable: -1}}',
      at: ['spec.podDisruptionBudget.maxUnavailable'],
    },
    {
      name: 'a word',
      spec: '{podDisruptionBudget: {maxUnavailable: some}}',
      at: ['spec.podDisruptionBudget.maxUnavailable'],
    },
    { name: 'none', spec: '{podDisruptionBudget: {maxUnavailable: 0}}', at: [] },
    { name: 'a share', spec: '{podDisruptionBudget: {maxUnavailable: 25%}}', at: [] },
    { name: 'nothing said', spec: '{podDisruptionBudget: {}}', at: [] },
  ],
  'scrape-interval': [
    { name: 'a word', spec: '{podMonitor: {interval: often}}', at: ['spec.podMonitor.interval'] },
    { name: 'a duration', spec: '{podMonitor: {interval: 1m}}', at: [] },
  ],
  'spec-size': [
    { name: 'a large spec', spec: `{jobArgs: [${'a'.repeat(210_000)}]}`, at: ['spec'] },
    { name: 'a middling spec', spec: `{jobArgs: [${'a'.repeat(190_000)}]}`, at: [] },
  ],
};

for (const [rule, cases] of Object.entries(CASES)) {
  for (const { name, spec = '{}', job = 'job', at } of cases) {
    test(`${rule} ${at.length > 0 ? 'answers' : 'stays silent'}: ${name}`, () => {
      const result = validateSpec({ ...GOOD, ...parse(spec) }, { name: job, namespace: 'jobs' });
      const findings = result.kind === 'invalid' ? result.findings : [];
      assert.deepEqual(
        findings.filter((finding) => finding.rule === rule).map((finding) => finding.path),
        at,
      );
      const others = findings.filter((finding) => finding.rule !== rule).map((finding) => finding.rule);
      assert.deepEqual(at.length > 0 ? [] : others, [], 'a silent case is a valid spec');
    });
  }
}

test('every rule has a case where it answers and one where it stays silent', () => {
  assert.deepEqual(RULES.map((rule) => rule.id).toSorted(), Object.keys(CASES).toSorted());
  for (const [rule, cases] of Object.entries(CASES)) {
    assert.ok(cases.some((one) => one.at.length > 0) && cases.some((one) => one.at.length === 0), rule);
  }
});
