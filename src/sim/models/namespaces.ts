import { OPTIONAL_KINDS } from '../../api/optional-children.ts';
import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject } from './objects.ts';
import { refOf } from './objects.ts';

const ACTOR = 'namespace-controller';
const KINDS = ['FlinkJob', 'ConfigMap', 'Service', 'Deployment', ...OPTIONAL_KINDS.map(({ kind }) => kind), 'Pod'];
const AGAIN_MS = 500;

/** Holds a namespace until it is empty, as `spec.finalizers` of a real one does. */
export const NAMESPACE_FINALIZER = 'kubernetes';

/** The namespace controller: of a namespace that terminates everything is deleted, in no order, then the namespace goes. */
export function startNamespaceController({ api, clock }: { readonly api: ApiServer; readonly clock: Clock }): void {
  const empty = (name: string): void => {
    const live = api.get({ kind: 'Namespace', namespace: '', name });
    if (live === undefined) return;
    const left = KINDS.flatMap((kind) => api.list(kind, name));
    if (left.length === 0) {
      api.update(ACTOR, { ...live, metadata: { ...live.metadata, finalizers: [] } });
      return;
    }
    for (const object of left) remove(object);
    clock.after(AGAIN_MS, () => empty(name));
  };
  const remove = (object: KubeObject): void => {
    const { uid = '', deletionTimestamp } = object.metadata;
    if (deletionTimestamp === undefined) api.remove(ACTOR, refOf(object), { uid });
  };
  api.watch(({ object, before }) => {
    if (object.kind !== 'Namespace' || object.metadata.deletionTimestamp === undefined) return;
    if (before?.metadata.deletionTimestamp === undefined) clock.after(20, () => empty(object.metadata.name));
  });
}
