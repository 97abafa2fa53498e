/** The durable file system that checkpoints and savepoints lie in. A snapshot's content is the job's counter. */
export type Snapshot = {
  readonly path: string;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly counter: number;
  readonly jobId: string;
  /** Which JobManager process wrote it. */
  readonly writer: string;
  readonly checkpointId: number;
  readonly at: number;
};

export type Storage = {
  readonly write: (snapshot: Snapshot) => void;
  readonly read: (path: string) => Snapshot | undefined;
  readonly remove: (path: string) => void;
  readonly all: () => readonly Snapshot[];
  /** Keeps a file of other content: what a handle of high availability leads to. */
  readonly keep: (path: string, content: unknown) => void;
  readonly file: (path: string) => unknown;
  /** Refuses writes below this directory from now on; '' refuses none. */
  readonly forbid: (directory: string) => void;
  readonly writable: (path: string) => boolean;
};

export function createStorage(): Storage {
  const snapshots = new Map<string, Snapshot>();
  const files = new Map<string, unknown>();
  let forbidden = '';
  return {
    write: (snapshot) => snapshots.set(snapshot.path, snapshot),
    read: (path) => snapshots.get(path.replace(/\/+$/, '')),
    remove: (path) => snapshots.delete(path),
    all: () => [...snapshots.values()],
    keep: (path, content) => files.set(path, content),
    file: (path) => files.get(path),
    forbid: (directory) => {
      forbidden = directory;
    },
    writable: (path) => forbidden === '' || !path.startsWith(forbidden),
  };
}
