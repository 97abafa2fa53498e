import { isAtLeast } from '../../flink-version.ts';
import type { Context } from '../context.ts';
import type { Feature } from '../feature.ts';

/** Packages that Flink opens to itself on Java 17, as in the configuration file that a mounted one replaces. */
const EXPORTS_1 = ['java.base/sun.net.util'];
const EXPORTS = [
  'java.rmi/sun.rmi.registry',
  ...['api', 'file', 'parser', 'tree', 'util'].map((name) => `jdk.compiler/com.sun.tools.javac.${name}`),
  'java.security.jgss/sun.security.krb5',
];
const OPENS = [
  ...['lang', 'net', 'io', 'nio'].map((name) => `java.base/java.${name}`),
  'java.base/sun.nio.ch',
  ...['lang.reflect', 'text', 'time', 'util', 'util.concurrent', 'util.concurrent.atomic', 'util.concurrent.locks'].map(
    (name) => `java.base/java.${name}`,
  ),
];

/**
 * Names are looked up anew after two seconds: a TaskManager that asked before the JobManager had an address, or that remembers
 * the address of a former pod, would wait for 10 or 30.
 */
const LOOKUPS = ['-Dsun.net.inetaddr.ttl=2', '-Dsun.net.inetaddr.negative.ttl=1'];

/** Flink's scripts strip a quote from the end of all options together; something has to stand behind the user's. */
const END = '-Dflork.options=end';

/** Options of all Java processes. The user's come after Flork's and so win. */
export const javaOptions: Feature = {
  name: 'java-options',
  ownedConf: (context) => ({ 'env.java.opts.all': optionsOf(context) }),
};

function optionsOf({ version, user }: Context): string {
  const exports = isAtLeast(version, '2.0') ? EXPORTS : [...EXPORTS_1, ...EXPORTS];
  const given = oneLine(user['env.java.opts.all'] ?? '');
  return [
    ...exports.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
    ...OPENS.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    ...LOOKUPS,
    ...(given === '' ? [] : [given]),
    ...(given.endsWith('"') ? [END] : []),
  ].join(' ');
}

/** The options without quotes around all of them, which people write for the scripts to strip, and on one line. */
function oneLine(options: string): string {
  return options
    .trim()
    .replace(/^"([^"]*)"$/, '$1')
    .replaceAll(/\s*\n\s*/g, ' ');
}
