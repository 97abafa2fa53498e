import { readFileSync } from 'node:fs';

/**
 * `npm run sbom`: the bill of materials of what runs (CycloneDX 1.5), from package-lock.json alone; the same file gives the same bytes.
 * Own code, as `npm sbom --omit dev` leaves out a package that is needed at run time and by a development tool, too (yaml, by knip).
 */

type Locked = {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));
const { packages } = read('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> };
const { name, version, license, dependencies } = read('package.json') as Required<Locked> & { readonly name: string };

/** Where Node finds a package from a place in the tree; `undefined` where it is not installed. */
function found(from: string, wanted: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${wanted}`;
    if (path in packages) return path;
    if (at === '') return undefined;
    if (!at.includes('/node_modules/')) at = '';
  }
}

/** Paths in the lock file of all that is needed at run time. */
function closure(): readonly string[] {
  const paths = new Set<string>();
  const visit = (from: string, needed: Readonly<Record<string, string>>): void => {
    for (const wanted of Object.keys(needed)) {
      const path = found(from, wanted) ?? '';
      if (path === '' || paths.has(path)) continue;
      paths.add(path);
      const one = packages[path] ?? {};
      visit(path, { ...one.dependencies, ...one.optionalDependencies });
    }
  };
  visit('', dependencies);
  return [...paths].toSorted();
}

function component(path: string): object {
  const one = packages[path] ?? {};
  const own = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const purl = `pkg:npm/${own.replace('@', '%40')}@${one.version}`;
  const content = Buffer.from((one.integrity ?? '').replace('sha512-', ''), 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': purl,
    name: own,
    version: one.version,
    purl,
    licenses: [{ license: { id: one.license } }],
    hashes: [{ alg: 'SHA-512', content }],
  };
}

const components = [...new Map(closure().map((path) => [JSON.stringify(component(path)), component(path)])).values()];
const metadata = {
  component: {
    type: 'application',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    licenses: [{ license: { id: license } }],
  },
};
console.log(JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata, components }, null, 2));
