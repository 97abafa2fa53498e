import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generated } from './crd/files.ts';

/** `npm run generate`: writes the files that are made from the schemas in src/api. */
for (const [path, text] of generated()) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(`${path} (${text.length} bytes)`);
}
