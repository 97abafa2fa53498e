import type { Feature } from '../feature.ts';
import { addresses } from './addresses.ts';
import { application } from './application.ts';
import { checkpoints } from './checkpoints.ts';
import { confFiles } from './conf-files.ts';
import { highAvailability } from './high-availability.ts';
import { javaOptions } from './java-options.ts';
import { memory } from './memory.ts';
import { nativeMode } from './native-mode.ts';
import { parallelism } from './parallelism.ts';
import { probes } from './probes.ts';
import { program } from './program.ts';
import { recovery } from './recovery.ts';
import { reporter } from './reporter.ts';
import { secretValues } from './secret-values.ts';
import { security } from './security.ts';
import { shorthands } from './shorthands.ts';
import { start } from './start.ts';

/** All features; where two say the same thing the later one wins. */
export const FEATURES: readonly Feature[] = [
  parallelism,
  memory,
  checkpoints,
  recovery,
  javaOptions,
  application,
  addresses,
  highAvailability,
  security,
  probes,
  program,
  confFiles,
  nativeMode,
  shorthands,
  secretValues,
  reporter,
  start,
];
