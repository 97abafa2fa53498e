#!/usr/bin/env node
import { readFile } from 'node:fs/promises';

/** A command of `flork`; its module is loaded only when it is called, so that the start stays short. */
type Command = { readonly about: string; readonly load: () => Promise<(args: readonly string[]) => Promise<number>> };

const COMMANDS: Readonly<Record<string, Command>> = {
  certs: {
    about: 'make certificates for the hook, for clusters without cert-manager',
    load: async () => (await import('./cli/certs.ts')).certs,
  },
  profile: {
    about: 'write the component that says what writers of FlinkJobs may have in their pods',
    load: async () => (await import('./cli/profile.ts')).profile,
  },
  render: {
    about: 'print the objects that a FlinkJob becomes, as YAML',
    load: async () => (await import('./cli/render.ts')).render,
  },
  tenants: {
    about: 'write the manifests that run Flork for several tenants',
    load: async () => (await import('./cli/tenants.ts')).tenants,
  },
  validate: {
    about: 'say what is wrong with FlinkJobs in YAML files',
    load: async () => (await import('./cli/validate.ts')).validate,
  },
};

const HELP = `flork: works on FlinkJob files without a cluster

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  flork ${name.padEnd(10)} ${about}`)
  .join('\n')}

  flork COMMAND --help    how to call a command
  flork --version         the version

Exit status: 0 fine, 1 something is wrong with a FlinkJob, 2 the command could not do its work.
`;

/** Runs one command line; the result is the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') return print(HELP);
  if (name === '--version' || name === '-v') return print(`${await version()}\n`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return (await command.load())(rest);
  process.stderr.write(name === '' ? HELP : `flork: no command ${JSON.stringify(name)}; see flork --help\n`);
  return 2;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { readonly version: unknown }).version);
}

process.exitCode = await main(process.argv.slice(2));
