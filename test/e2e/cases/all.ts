import type { Case } from './case.ts';
import { contractCases } from './contract.ts';
import { killCases } from './kill.ts';
import { mutualTlsCases } from './mutual-tls.ts';
import { endCases } from './scenarios/ends.ts';
import { repairCases } from './scenarios/repair.ts';
import { scaleCases } from './scenarios/scale.ts';
import { startCases } from './scenarios/starts.ts';
import { upgradeCases } from './scenarios/upgrades.ts';
import { versionCases } from './scenarios/versions.ts';

/** The full matrix, in the order in which it is run: those that share a job follow each other. */
export const CASES: readonly Case[] = [
  ...killCases,
  ...upgradeCases,
  ...repairCases,
  ...startCases,
  ...endCases,
  ...scaleCases,
  ...versionCases,
  ...mutualTlsCases,
  ...contractCases,
];
