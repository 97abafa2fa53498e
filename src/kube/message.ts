import * as v from 'valibot';
import { parseJson } from '../api/json.ts';

const KubeStatus = v.object({ message: v.string() });

/** Why the API server refuses something, from its Status: one line, cut off. */
export function messageOf(text: string, most: number): string {
  const parsed = v.safeParse(KubeStatus, parseJson(text, 16));
  return (parsed.success ? parsed.output.message : 'no reason given').split('\n')[0]?.slice(0, most) ?? '';
}
