import { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';

/** When certificates run out (Unix time, seconds), by the variable of the environment that names their file. */
export type Expirations = ReadonlyMap<string, number>;

/** Hears of one of them; `undefined`: the file holds no certificate. */
export type Expires = (variable: string, notAfter: number | undefined) => void;

const ends = new Map<string, number>();
/** Those of the certificates that this process has read last: there is one of each variable in a process. */
export const expirations: Expirations = ends;
/** Writes them down. */
export const remember: Expires = (variable, notAfter) =>
  void (notAfter === undefined ? ends.delete(variable) : ends.set(variable, notAfter));

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * When the first certificate of a PEM text runs out, be it a chain or a bundle of CAs (Unix time, seconds). What OpenSSL does not read as
 * a certificate is left out, as it is where the text is used; `undefined` where nothing is left.
 */
export function firstNotAfter(pem: string): number | undefined {
  const ends = (pem.match(BLOCK) ?? []).flatMap((block) => {
    try {
      return [secondsOf(new X509Certificate(block))];
    } catch {
      return [];
    }
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** When the client certificate of a PKCS#12 file runs out, as above. Node tells it of a connection alone, which is never made. */
export function notAfterOfPkcs12(pfx: Buffer, passphrase: string | undefined): number | undefined {
  const secureContext = createSecureContext({ pfx, ...(passphrase === undefined ? {} : { passphrase }) });
  const socket = new TLSSocket(new Duplex({ read: () => undefined }), { secureContext });
  const certificate = socket.getX509Certificate();
  socket.destroy();
  return certificate === undefined ? undefined : secondsOf(certificate);
}

function secondsOf({ validToDate }: X509Certificate): number {
  return validToDate.getTime() / 1000;
}
