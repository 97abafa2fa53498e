import type { AppDeps } from '../../../src/http/shell.ts';
import { readObserved } from '../../../src/api/observed.ts';
import { readJob } from '../../../src/core/observe-job.ts';
import { questions } from '../../../src/core/questions.ts';
import { acknowledge, reconcile } from '../../../src/core/reconcile.ts';
import { validateSpec } from '../../../src/core/validate/validate-spec.ts';

/** The real core, as main wires it; mutants wrap one of its functions. */
export type Core = Required<
  Pick<AppDeps, 'readJob' | 'readObserved' | 'questions' | 'reconcile' | 'acknowledge' | 'validateSpec'>
>;

export const realCore: Core = { readJob, readObserved, questions, reconcile, acknowledge, validateSpec };
