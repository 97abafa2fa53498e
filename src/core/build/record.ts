import { gunzipSync, gzipSync, strFromU8, strToU8 } from 'fflate';
import type { Child, ObservedConfigMap } from '../../api/kube.ts';
import type { EpochRecord, JobRef } from '../record.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { canonicalJson } from './canonical.ts';
import { child, sealed } from './child.ts';
import { sha256Hex } from './hash.ts';
import { rememberedByObject, rememberedByText } from '../memo.ts';
import { epochNames } from './names.ts';

/** Key of the record in its ConfigMap. */
const KEY = 'record.json.gz';

/** A record is never larger; more is not unpacked (a ConfigMap can be edited by anyone who may edit ConfigMaps). */
const LARGEST = 8 * 1024 * 1024;

/** The stored text of a record (gzip, base64; packed when asked for) and the hash by which it is trusted. Equal records give equal texts. */
export const encodeRecord = rememberedByObject(
  (record: EpochRecord): { readonly hash: string; readonly text: string } => {
    const json = canonicalJson(record);
    return {
      hash: hashOf(json),
      get text() {
        return toBase64(gzipSync(strToU8(json), { level: 6, mtime: 0 }));
      },
    };
  },
);

/** ConfigMap `<name>-epoch-<h>`. */
export function recordConfigMap(ref: JobRef, record: EpochRecord): Child {
  return sealedRecord(record)(JSON.stringify(ref));
}

const sealedRecord = rememberedByObject((record: EpochRecord) =>
  rememberedByText(2, (refText): Child => {
    const ref = JSON.parse(refText) as JobRef;
    const name = epochNames(ref, record.number).record;
    return sealed(child(ref, 'ConfigMap', name, 'job', { binaryData: { [KEY]: encodeRecord(record).text } }));
  }),
);

/**
 * The record in a ConfigMap and the hash of its content. `undefined` when there is none or it cannot be one; never throws.
 * Nothing is to be believed of it before its hash was found in status or on this uid's JobManager Deployment.
 */
export function readRecord(
  configMap: Pick<ObservedConfigMap, 'binaryData'>,
): { readonly hash: string; readonly record: EpochRecord } | undefined {
  const text = configMap.binaryData[KEY];
  return text === undefined ? undefined : readText(text);
}

/** Unpacked once: a job's record does not change from sync to sync. */
const readText = rememberedByText(1024, (text): { readonly hash: string; readonly record: EpochRecord } | undefined => {
  const json = unpack(text);
  const record = json === undefined ? undefined : parse(json);
  return json === undefined || record === undefined ? undefined : { hash: hashOf(json), record };
});

function hashOf(json: string): string {
  return sha256Hex(json).slice(0, 16);
}

function unpack(text: string): string | undefined {
  const bytes = fromBase64(text);
  if (bytes === undefined || bytes.length < 18) return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  if (size > LARGEST) return undefined;
  try {
    return strFromU8(gunzipSync(bytes));
  } catch {
    return undefined;
  }
}

/** The least that makes a record; whether it is the true one is told by its hash. */
function parse(json: string): EpochRecord | undefined {
  try {
    const value = JSON.parse(json) as EpochRecord | null;
    return value?.version === 1 && typeof value.number === 'number' && typeof value.children === 'object'
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
