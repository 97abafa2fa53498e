import type { Case } from './case.ts';
import { killCases } from './kill.ts';

/** The full matrix, in the order in which it is run. */
export const CASES: readonly Case[] = [...killCases];
