import type { Child, ObservedConfigMap } from '../../api/kube.ts';
import { ENDS } from '../../api/status.ts';
import type { EpochRecord, JobRef, RestoreContent } from '../record.ts';
import { rememberedByText } from '../memo.ts';
import { child, sealed } from './child.ts';
import { epochNames } from './names.ts';

/** Keys that a JobManager container cannot start without: its env reads them with `optional: false`. */
export const START_KEYS = { jobId: 'job-id', restore: 'restore', flag: 'restore-flag' } as const;

/**
 * Options that mean nothing, for a process that restores nothing: an argument cannot be left out by an environment variable,
 * and an empty one would end the options. Two spellings, as Flink refuses no repetition but a reader would wonder.
 */
const NO_RESTORE = '-Dflork.none=1';
const NO_FLAG = '-Dflork.none=2';

/** ConfigMap `<name>-restore-<h>`: what the next JobManager process of the epoch starts with. */
export function restoreConfigMap(ref: JobRef, record: Pick<EpochRecord, 'number'>, content: RestoreContent): Child {
  return written(JSON.stringify([ref, record.number, content]));
}

const written = rememberedByText(512, (key): Child => {
  const [ref, number, content] = JSON.parse(key) as [JobRef, number, RestoreContent];
  const name = epochNames(ref, number).restore;
  return sealed(child(ref, 'ConfigMap', name, 'jobmanager', { data: { ...startKeys(content), ...told(content) } }));
});

/** Reads it back; `undefined` when it is not one of Flork's (edited by hand, or empty). */
export function readRestore(configMap: Pick<ObservedConfigMap, 'data'>): RestoreContent | undefined {
  const { data } = configMap;
  const incarnation = wholeNumber(data['incarnation']);
  const pathAt = wholeNumber(data['path-at']);
  const jobId = data['next-job-id'];
  const path = data['path'];
  const attempt = wholeNumber(data['attempt']);
  const asked = wholeNumber(data['asked']);
  const lastProcess = data['last-process'];
  const ended = ENDS.find((how) => how === data['ended']);
  if (incarnation === undefined || pathAt === undefined || jobId === undefined || !/^[0-9a-f]{32}$/.test(jobId))
    return undefined;
  const content: RestoreContent = {
    incarnation,
    ...(lastProcess === undefined ? {} : { lastProcess }),
    ...(path === undefined ? {} : { path }),
    pathAt,
    jobId,
    allowNonRestoredState: data['allow-non-restored-state'] === 'true',
    startable: data[START_KEYS.jobId] !== undefined,
    ...(attempt === undefined ? {} : { attempt }),
    ...(asked === undefined ? {} : { asked }),
    ...(data['canceling'] === 'true' ? { canceling: true as const } : {}),
    ...(ended === undefined ? {} : { ended, endedByFlork: data['ended-by-flork'] === 'true' }),
    ...(ended !== undefined && data['rewound'] === 'true' ? { rewound: true as const } : {}),
    ...(ended !== undefined && data['rollback'] === 'true' ? { rollback: true as const } : {}),
    ...(ended !== undefined && data['newest'] !== undefined ? { newest: data['newest'] } : {}),
  };
  // What a process would start with must be what is told; anything else was written by someone else.
  const keys: Readonly<Record<string, string>> = startKeys(content);
  const asTold = Object.values(START_KEYS).every((key) => data[key] === keys[key]);
  return asTold && !(content.startable && content.ended !== undefined) ? content : undefined;
}

function startKeys(content: RestoreContent): Readonly<Record<string, string>> {
  if (!content.startable) return {};
  return {
    [START_KEYS.jobId]: content.jobId,
    [START_KEYS.restore]: content.path === undefined ? NO_RESTORE : `--fromSavepoint=${content.path}`,
    [START_KEYS.flag]:
      content.path !== undefined && content.allowNonRestoredState ? '--allowNonRestoredState' : NO_FLAG,
  };
}

function told(content: RestoreContent): Readonly<Record<string, string>> {
  return {
    incarnation: String(content.incarnation),
    ...(content.lastProcess === undefined ? {} : { 'last-process': content.lastProcess }),
    ...(content.path === undefined ? {} : { path: content.path }),
    'path-at': String(content.pathAt),
    'next-job-id': content.jobId,
    'allow-non-restored-state': String(content.allowNonRestoredState),
    ...(content.attempt === undefined ? {} : { attempt: String(content.attempt) }),
    ...(content.asked === undefined ? {} : { asked: String(content.asked) }),
    ...(content.canceling ? { canceling: 'true' } : {}),
    ...(content.ended === undefined
      ? {}
      : { ended: content.ended, 'ended-by-flork': String(content.endedByFlork === true) }),
    ...(content.rewound ? { rewound: 'true' } : {}),
    ...(content.rollback ? { rollback: 'true' } : {}),
    ...(content.newest === undefined ? {} : { newest: content.newest }),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
