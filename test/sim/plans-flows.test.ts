import { exploreShare } from './harness/shares.ts';

/** A share of the plans of all flows that are not core flows: see harness/shares.ts. */
exploreShare((flow) => flow.core !== true, 0.05, 0, 1);
