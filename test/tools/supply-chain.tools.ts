import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';

/** What Flork is made of when it runs: all packages of package-lock.json that are not marked as for development alone. */
const ROOT = resolve(import.meta.dirname, '../..');
const LEFT_OUT = new Set(['node_modules', '.git', '.cache', 'dist', 'coverage']);

/** Licences under which a package may come along with Apache-2.0. */
const LICENSES = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'PSF-2.0', 'Unlicense']);

type Locked = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
};

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const runtime = Object.entries(lock.packages).filter(
  ([path, { dev, link }]) => path.startsWith('node_modules/') && dev !== true && link !== true,
);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function npm(cwd: string, ...words: string[]): Promise<Ended> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  return new Promise((done) => {
    execFile('npm', words, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

describe('the packages that come along', () => {
  test('have a licence that allows it', () => {
    assert.ok(runtime.length > 10);
    const others = runtime.filter(([, { license }]) => !LICENSES.has(license ?? ''));
    assert.deepEqual(
      others.map(([path, { license }]) => `${nameOf(path)}: ${license}`),
      [],
    );
  });

  test('are pinned by a hash, and come from no other place than the registry', () => {
    for (const [path, { integrity, resolved }] of runtime) {
      assert.match(integrity ?? '', /^sha512-/, path);
      // By .npmrc npm writes a place down only where it is another one.
      assert.equal(resolved, undefined, path);
    }
  });

  test('run nothing when they are installed', () => {
    for (const [path, { hasInstallScript }] of runtime) {
      assert.notEqual(hasInstallScript, true, path);
      const own = join(ROOT, path, 'package.json');
      if (!existsSync(own)) continue; // for another platform
      const { scripts = {} } = JSON.parse(readFileSync(own, 'utf8')) as { scripts?: Record<string, string> };
      for (const script of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[script], undefined, path);
    }
  });

  test('are all in the bill of materials, with their licences', async () => {
    const { code, stdout, stderr } = await npm(ROOT, 'run', '--silent', 'sbom');
    assert.equal(code, 0, stderr);
    const bill = JSON.parse(stdout) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly purl: string; readonly licenses?: readonly unknown[] }[];
    };
    assert.equal(bill.bomFormat, 'CycloneDX');
    const told = new Set(bill.components.map(({ purl }) => purl.replaceAll('%40', '@')));
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    for (const [name, version] of Object.entries(dependencies)) assert.ok(told.has(`pkg:npm/${name}@${version}`), name);
    const known = new Map(runtime.map(([path, one]) => [`pkg:npm/${nameOf(path)}@${one.version}`, one.license ?? '']));
    for (const { purl, licenses } of bill.components) {
      const license = known.get(purl.replaceAll('%40', '@')) ?? assert.fail(`${purl} is not looked at`);
      assert.ok(JSON.stringify(licenses ?? '').includes(license), purl);
    }
  });

  test('have no known vulnerability, where the registry says', async (t) => {
    const { stdout } = await npm(ROOT, 'audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000');
    const answer = JSON.parse(stdout === '' ? '{}' : stdout) as {
      readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
    };
    const found = answer.metadata?.vulnerabilities;
    if (found === undefined) return t.diagnostic('the registry does not answer npm audit here');
    assert.deepEqual([found['high'], found['critical']], [0, 0]);
  });
});

describe('the archive', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'flork-archive-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));

  /** Built and packed from a copy of the tree, as in test/unit/package.test.ts. */
  async function packed(name: string): Promise<string> {
    const stage = join(scratch, name);
    for (const entry of readdirSync(ROOT))
      if (!LEFT_OUT.has(entry)) cpSync(join(ROOT, entry), join(stage, entry), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'));
    const built = await npm(stage, 'run', 'build');
    assert.equal(built.code, 0, built.stdout + built.stderr);
    const place = join(scratch, `${name}-packed`);
    mkdirSync(place);
    const made = await npm(stage, 'pack', '--json', '--pack-destination', place);
    assert.equal(made.code, 0, made.stderr);
    const [file = ''] = readdirSync(place);
    return createHash('sha512')
      .update(readFileSync(join(place, file)))
      .digest('hex');
  }

  test('is the same, byte for byte, from two builds in two places', async () => {
    assert.equal(await packed('one'), await packed('another'));
  });
});
