import { createHash, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { BitString, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralNames,
} from 'pkijs';

/** A certificate and its private key (PKCS#8), both PEM. */
export type Pair = { readonly cert: string; readonly key: string };

/** What a leaf is for, and the names it is valid for (DNS names or IP addresses; a client needs none). */
export type Leaf = { readonly name: string; readonly use: 'server' | 'client'; readonly names: readonly string[] };

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks differ: a certificate is valid from an hour before it was made. */
const BACKDATED_MS = 3_600_000;

/** A CA of its own that signs leaves and nothing else, as RFC 5280 4.2 wants it. */
export async function createAuthority(name: string, days: number, now: number): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await unsigned({ subject: name, issuer: name, days, now, publicKey: keys.publicKey });
  const constraints = new BasicConstraints({ cA: true, pathLenConstraint: 0 });
  certificate.extensions = [
    extension('2.5.29.19', constraints.toSchema().toBER(), true),
    usage(CERT_SIGN),
    await keyIdentifier(keys.publicKey),
  ];
  return signed(certificate, keys.privateKey, keys.privateKey);
}

/** A leaf signed by the CA. Throws when the CA's key is not its own, or not of the kind that `createAuthority` makes. */
export async function createLeaf(authority: Pair, leaf: Leaf, days: number, now: number): Promise<Pair> {
  const issuer = Certificate.fromBER(bytesOf(authority.cert));
  const issuerKey = await webcrypto.subtle.importKey('pkcs8', bytesOf(authority.key), CURVE, true, ['sign']);
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await unsigned({ subject: leaf.name, issuer: '', days, now, publicKey: keys.publicKey });
  certificate.issuer = issuer.subject;
  const purpose = leaf.use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  certificate.extensions = [
    extension('2.5.29.19', new BasicConstraints({ cA: false }).toSchema().toBER(), true),
    usage(DIGITAL_SIGNATURE),
    extension('2.5.29.37', new ExtKeyUsage({ keyPurposes: [purpose] }).toSchema().toBER()),
    ...(leaf.names.length > 0 ? [extension('2.5.29.17', alternatives(leaf.names))] : []),
    await keyIdentifier(keys.publicKey),
    signedBy(issuer),
  ];
  const pair = await signed(certificate, issuerKey, keys.privateKey);
  if (!(await Certificate.fromBER(bytesOf(pair.cert)).verify(issuer)))
    throw new Error('the key of the CA is not its own');
  return pair;
}

type Unsigned = {
  readonly subject: string;
  readonly issuer: string;
  readonly days: number;
  readonly now: number;
  readonly publicKey: webcrypto.CryptoKey;
};

async function unsigned({ subject, issuer, days, now, publicKey }: Unsigned): Promise<Certificate> {
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ valueHex: serial() });
  certificate.subject.typesAndValues.push(commonName(subject));
  certificate.issuer.typesAndValues.push(commonName(issuer));
  certificate.notBefore.value = new Date(now - BACKDATED_MS);
  certificate.notAfter.value = new Date(now + days * DAY_MS);
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  return certificate;
}

async function signed(certificate: Certificate, by: webcrypto.CryptoKey, own: webcrypto.CryptoKey): Promise<Pair> {
  await certificate.sign(by, 'SHA-256');
  return {
    cert: pem('CERTIFICATE', certificate.toSchema().toBER()),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', own)),
  };
}

/** 127 random bits: positive, and never of a shorter encoding than the others. */
function serial(): ArrayBuffer {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.buffer;
}

function commonName(text: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value: text }) });
}

function extension(extnID: string, extnValue: ArrayBuffer, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue });
}

/** KeyUsage, RFC 5280 4.2.1.3: bit 0 is digitalSignature, bit 5 keyCertSign. */
const DIGITAL_SIGNATURE = { byte: 0x80, unused: 7 };
const CERT_SIGN = { byte: 0x04, unused: 2 };

function usage({ byte, unused }: typeof CERT_SIGN): Extension {
  const bits = new BitString({ valueHex: new Uint8Array([byte]).buffer, unusedBits: unused });
  return extension('2.5.29.15', bits.toBER(), true);
}

async function keyIdentifier(publicKey: webcrypto.CryptoKey): Promise<Extension> {
  const raw = await webcrypto.subtle.exportKey('raw', publicKey);
  const hash = createHash('sha1').update(Buffer.from(raw)).digest();
  return extension('2.5.29.14', new OctetString({ valueHex: new Uint8Array(hash).buffer }).toBER());
}

/** AuthorityKeyIdentifier, RFC 5280 4.2.1.1: the identifier that the CA's certificate gives its key. */
function signedBy(issuer: Certificate): Extension {
  const own = issuer.extensions?.find(({ extnID }) => extnID === '2.5.29.14')?.parsedValue as OctetString | undefined;
  if (own === undefined) throw new Error('the certificate of the CA has no subject key identifier');
  const keyIdentifier = new OctetString({ valueHex: own.getValue() });
  return extension('2.5.29.35', new AuthorityKeyIdentifier({ keyIdentifier }).toSchema().toBER());
}

function alternatives(names: readonly string[]): ArrayBuffer {
  const entries = names.map((name) =>
    isIP(name) === 4
      ? new GeneralName({
          type: 7,
          value: new OctetString({ valueHex: Uint8Array.from(name.split('.').map(Number)).buffer }),
        })
      : new GeneralName({ type: 2, value: name }),
  );
  return new GeneralNames({ names: entries }).toSchema().toBER();
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function bytesOf(text: string): ArrayBuffer {
  const base64 = /-----BEGIN [A-Z ]+-----(?<body>[A-Za-z0-9+/=\s]+)-----END/.exec(text)?.groups?.['body'] ?? '';
  return new Uint8Array(Buffer.from(base64, 'base64')).buffer;
}
