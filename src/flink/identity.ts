import { createSecureContext } from 'node:tls';
import { firstNotAfter, notAfterOfPkcs12, remember, type Expires } from '../certificates.ts';
import { bytesOf, fileOf, follow } from '../follow.ts';
import type { Log } from '../telemetry/log.ts';
import { undiciTransport, type UndiciOptions, type UndiciTransport } from './transport.ts';

/** Files of trust and client identity towards JobManagers; all may be absent. */
export type FlinkFiles = {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Client certificate and key in one file, in place of the two above. */
  readonly pkcs12File: string | undefined;
  readonly pkcs12PasswordFile: string | undefined;
};

/** Where a JobManager is found when not through cluster DNS, who hears when certificates run out, and how often the files are looked at (milliseconds). */
type Options = Pick<UndiciOptions, 'resolve'> & { readonly expires?: Expires; readonly checkMs?: number };

/** Connections of an identity that was replaced may still carry a call; none takes longer. */
const LAST_CALL_MS = 10_000;

/**
 * Calls JobManagers with the trust and identity in these files, read again when they change. Throws when they cannot be used at first;
 * later the identity in use stays.
 */
export function identifiedTransport(files: FlinkFiles, log: Log, options: Options = {}): UndiciTransport {
  const { expires = remember, checkMs, ...found } = options;
  if (Object.values(files).every((file) => file === undefined)) return undiciTransport(found);
  let current: UndiciTransport | undefined;
  const use = (identity: Identity): void => {
    // Throws where key and certificate do not fit, before anything is replaced.
    createSecureContext(identity);
    const former = current;
    current = undiciTransport({ ...identity, ...found });
    if (former !== undefined) setTimeout(() => void former.close(), LAST_CALL_MS).unref();
    tell(identity, expires);
  };
  const { stop } = follow({ what: 'identity towards Flink', read: () => identityOf(files), use }, log, checkMs);
  const call = (...given: Parameters<UndiciTransport>): ReturnType<UndiciTransport> =>
    current === undefined ? Promise.resolve({ kind: 'error', error: 'tls', text: 'no identity' }) : current(...given);
  const close = async (): Promise<void> => {
    stop();
    await current?.close();
  };
  return Object.assign(call, { close });
}

type Identity = Pick<UndiciOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase'>;

function tell({ ca, cert, pfx, passphrase }: Identity, expires: Expires): void {
  if (ca !== undefined) expires('FLINK_CA_FILE', firstNotAfter(ca));
  if (cert !== undefined) expires('FLINK_CERT_FILE', firstNotAfter(cert));
  if (pfx !== undefined) expires('FLINK_PKCS12_FILE', notAfterOfPkcs12(pfx, passphrase));
}

function identityOf(files: FlinkFiles): Identity {
  const { caFile, certFile, keyFile, pkcs12File, pkcs12PasswordFile } = files;
  const text = (name: string, file: string | undefined, as: keyof Identity): Identity =>
    file === undefined ? {} : { [as]: fileOf(name, file) };
  return {
    ...text('FLINK_CA_FILE', caFile, 'ca'),
    ...text('FLINK_CERT_FILE', certFile, 'cert'),
    ...text('FLINK_KEY_FILE', keyFile, 'key'),
    ...(pkcs12File === undefined ? {} : { pfx: bytesOf('FLINK_PKCS12_FILE', pkcs12File) }),
    ...(pkcs12PasswordFile === undefined
      ? {}
      : { passphrase: fileOf('FLINK_PKCS12_PASSWORD_FILE', pkcs12PasswordFile).replace(/\r?\n$/, '') }),
  };
}
