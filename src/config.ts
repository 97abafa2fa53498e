import * as v from 'valibot';
import { DUTIES, type DutyKind } from './core/duty.ts';
import type { FlinkFiles } from './flink/identity.ts';
import type { PlatformFiles } from './plugins/platform.ts';
import { DEFAULT_CONFIG, type HookConfig } from './http/shell.ts';
import { LOG_LEVELS, type LogLevel } from './telemetry/log.ts';

/** Everything the process is told, read once from the environment and frozen. */
export type Config = {
  readonly port: number;
  /** A port where the API server finds /validate and nothing else; absent: none but the one above. */
  readonly admissionPort: number | undefined;
  /** PEM files of the server's certificate and key; plain HTTP when absent. Read again when they change. */
  readonly tls:
    | { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | undefined }
    | undefined;
  /** Files with one bearer token each; a hook call has to carry one of them. None: whoever the network lets through. */
  readonly tokenFiles: readonly string[];
  /** Trust and client identity for calls to JobManagers with TLS. */
  readonly flink: FlinkFiles;
  /** Defaults and decorators of those who run Flork. */
  readonly platform: PlatformFiles;
  /** Folder with the lists of a tenant profile; absent: pods may hold whatever the API server takes. */
  readonly profileFolder: string | undefined;
  readonly hook: HookConfig;
  /** Duties that are switched on. */
  readonly duties: readonly DutyKind[];
  /** Whether Flork reads the pods of a FlinkJob itself, and Metacontroller need not show them. */
  readonly readsPods: boolean;
  /** Where the API server is, for those two. */
  readonly api: {
    readonly host: string;
    readonly port: number;
    /** Where the kubelet mounts `token` and `ca.crt`. */
    readonly folder: string;
  };
  readonly logLevel: LogLevel;
  /** How long requests in flight may take after SIGTERM before connections are closed. */
  readonly drainMs: number;
};

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const TENANT = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const wholeNumber = (absent: number, least: number, most: number) =>
  v.pipe(
    v.optional(v.string(), String(absent)),
    v.check(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `a whole number within ${least}..${most}`,
    ),
    v.transform(Number),
  );
const namespaces = v.pipe(
  v.optional(v.string(), '*'),
  v.transform((text) => (text.trim() === '*' ? ('*' as const) : text.split(',').map((name) => name.trim()))),
  v.check((list) => list === '*' || list.every((name) => LABEL.test(name)), '* or namespaces separated by commas'),
);
const file = v.optional(v.string());
/** One variable for each, so that each can be switched on by a component of its own. */
const duty = v.pipe(
  v.optional(v.picklist(['on', 'off'], 'on or off'), 'off'),
  v.transform((text) => text === 'on'),
);
const files = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ),
);

const Environment = v.pipe(
  v.object({
    PORT: wholeNumber(8080, 0, 65_535),
    ADMISSION_PORT: v.optional(wholeNumber(8443, 0, 65_535)),
    TLS_CERT_FILE: file,
    TLS_KEY_FILE: file,
    TLS_CLIENT_CA_FILE: file,
    HOOK_TOKEN_FILES: files,
    FLORK_NAMESPACES: namespaces,
    FLORK_TENANT: v.optional(v.pipe(v.string(), v.regex(TENANT, 'a label value'))),
    TENANT_PROFILE_DIR: file,
    FLINK_CA_FILE: file,
    FLINK_CERT_FILE: file,
    FLINK_KEY_FILE: file,
    FLINK_PKCS12_FILE: file,
    FLINK_PKCS12_PASSWORD_FILE: file,
    POD_NAMESPACE: v.optional(v.pipe(v.string(), v.regex(LABEL, 'a namespace'))),
    DEFAULTS_FILE: file,
    DECORATORS_DIR: file,
    DUTY_CLEAN_HIGH_AVAILABILITY: duty,
    DUTY_DELETE_SELF: duty,
    DUTY_EVENTS: duty,
    FLORK_PODS: v.optional(v.picklist(['shown', 'read'], 'shown or read'), 'shown'),
    KUBERNETES_SERVICE_HOST: v.optional(v.string(), 'kubernetes.default.svc'),
    KUBERNETES_SERVICE_PORT: wholeNumber(443, 1, 65_535),
    SERVICE_ACCOUNT_DIR: v.optional(v.string(), '/var/run/secrets/kubernetes.io/serviceaccount'),
    LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`), 'info'),
    MAX_IN_FLIGHT: wholeNumber(DEFAULT_CONFIG.maxInFlight, 1, 10_000),
    MAX_BODY_BYTES: wholeNumber(DEFAULT_CONFIG.maxBodyBytes, 1024, 256 * 1024 * 1024),
    SYNC_BUDGET_MS: wholeNumber(DEFAULT_CONFIG.syncBudgetMs, 100, 60_000),
    DRAIN_SECONDS: wholeNumber(15, 0, 600),
  }),
  v.forward(
    v.check(
      (env) => (env.TLS_CERT_FILE === undefined) === (env.TLS_KEY_FILE === undefined),
      'a key together with a certificate',
    ),
    ['TLS_KEY_FILE'],
  ),
  v.forward(
    v.check(
      (env) => (env.FLINK_CERT_FILE === undefined) === (env.FLINK_KEY_FILE === undefined),
      'a key together with a certificate',
    ),
    ['FLINK_KEY_FILE'],
  ),
  v.forward(
    v.check(
      (env) => env.FLINK_PKCS12_FILE === undefined || env.FLINK_CERT_FILE === undefined,
      'one of PKCS#12 and PEM',
    ),
    ['FLINK_PKCS12_FILE'],
  ),
  v.forward(
    v.check(
      (env) => env.FLINK_PKCS12_PASSWORD_FILE === undefined || env.FLINK_PKCS12_FILE !== undefined,
      'FLINK_PKCS12_FILE beside it',
    ),
    ['FLINK_PKCS12_PASSWORD_FILE'],
  ),
  v.forward(
    v.check(
      (env) => env.TLS_CLIENT_CA_FILE === undefined || env.TLS_CERT_FILE !== undefined,
      'TLS_CERT_FILE beside it',
    ),
    ['TLS_CLIENT_CA_FILE'],
  ),
);

/** Reads the environment; a bad value gives the one line that names it. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
): { readonly kind: 'config'; readonly config: Config } | { readonly kind: 'invalid'; readonly line: string } {
  // A variable set to nothing is what an optional Kubernetes env entry looks like: absent.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = v.safeParse(Environment, given);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const name = v.getDotPath(issue) ?? 'environment';
    const is = given[name] === undefined ? 'not set' : JSON.stringify(given[name]);
    return { kind: 'invalid', line: `${name}: is ${is}; want ${issue.message}` };
  }
  return { kind: 'config', config: Object.freeze(configOf(parsed.output)) };
}

function configOf(env: v.InferOutput<typeof Environment>): Config {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, FLORK_TENANT: tenant } = env;
  const switched: Readonly<Record<DutyKind, boolean>> = {
    'clean-high-availability': env.DUTY_CLEAN_HIGH_AVAILABILITY,
    'delete-self': env.DUTY_DELETE_SELF,
    events: env.DUTY_EVENTS,
  };
  return {
    port: env.PORT,
    admissionPort: env.ADMISSION_PORT,
    tls:
      certFile === undefined || keyFile === undefined
        ? undefined
        : Object.freeze({ certFile, keyFile, clientCaFile: env.TLS_CLIENT_CA_FILE }),
    tokenFiles: Object.freeze(env.HOOK_TOKEN_FILES),
    flink: Object.freeze({
      caFile: env.FLINK_CA_FILE,
      certFile: env.FLINK_CERT_FILE,
      keyFile: env.FLINK_KEY_FILE,
      pkcs12File: env.FLINK_PKCS12_FILE,
      pkcs12PasswordFile: env.FLINK_PKCS12_PASSWORD_FILE,
    }),
    platform: Object.freeze({
      decoratorsDir: env.DECORATORS_DIR,
      defaultsFile: env.DEFAULTS_FILE,
      home: env.POD_NAMESPACE,
    }),
    profileFolder: env.TENANT_PROFILE_DIR,
    hook: Object.freeze({
      ...DEFAULT_CONFIG,
      namespaces: env.FLORK_NAMESPACES,
      ...(tenant === undefined ? {} : { tenant }),
      maxBodyBytes: env.MAX_BODY_BYTES,
      maxInFlight: env.MAX_IN_FLIGHT,
      syncBudgetMs: env.SYNC_BUDGET_MS,
    }),
    duties: Object.freeze(DUTIES.filter((kind) => switched[kind])),
    readsPods: env.FLORK_PODS === 'read',
    api: Object.freeze({
      host: env.KUBERNETES_SERVICE_HOST,
      port: env.KUBERNETES_SERVICE_PORT,
      folder: env.SERVICE_ACCOUNT_DIR,
    }),
    logLevel: env.LOG_LEVEL,
    drainMs: env.DRAIN_SECONDS * 1000,
  };
}
