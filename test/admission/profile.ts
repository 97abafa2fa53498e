import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readProfile, type TenantProfile } from '../../src/core/profile/profile.ts';

export const PROFILE_FILE = join(import.meta.dirname, '../../kustomize/components/tenant-profile/profile.yaml');

/** The profile as it is shipped. */
export function shippedProfile(): TenantProfile {
  const { data } = parse(readFileSync(PROFILE_FILE, 'utf8')) as { readonly data: Readonly<Record<string, string>> };
  const read = readProfile(new Map(Object.entries(data)));
  if (read.kind === 'wrong') throw new Error(read.line);
  return read.profile;
}
