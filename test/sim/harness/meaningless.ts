import { at, tree, type KubeObject } from '../../../src/sim/models/objects.ts';
import { withPolicies, type Spec } from './sample.ts';

/** Edits of a FlinkJob that mean nothing to what runs (S10); docs/changes.md promises each of them. */
export const MEANINGLESS: ReadonlyMap<string, (live: KubeObject) => KubeObject> = new Map([
  ['its fields in another order', (live) => ({ ...live, spec: reversed(live['spec']) })],
  ['a label and an annotation more', annotated],
  ['defaults said', ofSpec((spec) => ({ state: 'running', jobManagerReplicas: 1, ...spec }))],
  ['empty values for none', ofSpec((spec) => ({ additionalConfFiles: {}, florkConf: {}, jobArgs: [], ...spec }))],
  ['the version that the image says not said', ofSpec(({ flinkVersion: _, ...spec }) => spec)],
  ['parallelism as a key of the configuration', ofSpec(parallelismAsKey)],
  ['the savepoint directory as a key of the configuration', ofSpec(directoryAsKey)],
  ['an old key by its new name', ofSpec(renamedKey)],
  ['a key that no process reads', ofSpec((spec) => withConf(spec, { 'historyserver.web.port': '8082' }))],
  [
    'policies for another day',
    ofSpec((spec) => withPolicies(spec, { ttlSecondsAfterFinished: 86_400, scaleCooldown: '3m' })),
  ],
  ['an approval of another loss', ofSpec((spec) => ({ ...spec, approveStateLoss: 'none' }))],
]);

/** Makes the edit whose turn it is by the generation of the FlinkJob: each, in a long life. */
export function editMeaninglessly(live: KubeObject): KubeObject {
  const edits = [...MEANINGLESS.values()];
  const edit = edits[(live.metadata.generation ?? 0) % edits.length];
  return edit === undefined ? live : edit(live);
}

function ofSpec(change: (spec: Spec) => Spec): (live: KubeObject) => KubeObject {
  return (live) => ({ ...live, spec: change(live['spec'] as Spec) });
}

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, field]) => [name, reversed(field)]),
  );
}

function annotated(live: KubeObject): KubeObject {
  const { labels, annotations } = live.metadata;
  const note = { 'example.com/seen': String(Number(annotations?.['example.com/seen'] ?? 0) + 1) };
  return {
    ...live,
    metadata: {
      ...live.metadata,
      labels: { ...labels, 'example.com/team': 'one' },
      annotations: { ...annotations, ...note },
    },
  };
}

function withConf(spec: Spec, more: Readonly<Record<string, unknown>>): Spec {
  return { ...spec, flinkConf: { ...(spec['flinkConf'] as object), ...more } };
}

function parallelismAsKey(spec: Spec): Spec {
  const { parallelism, ...others } = spec;
  return parallelism === undefined ? spec : withConf(others, { 'parallelism.default': parallelism });
}

function directoryAsKey(spec: Spec): Spec {
  const directory = at(spec, 'policies', 'savepoint', 'directory');
  if (directory === undefined) return spec;
  const { directory: _, ...savepoint } = tree(at(spec, 'policies', 'savepoint'));
  return withConf(withPolicies(spec, { savepoint }), { 'execution.checkpointing.savepoint-dir': directory });
}

function renamedKey(spec: Spec): Spec {
  const { 'state.checkpoints.dir': directory, ...conf } = spec['flinkConf'] as Spec;
  if (directory === undefined) return spec;
  return { ...spec, flinkConf: { ...conf, 'execution.checkpointing.dir': directory } };
}
