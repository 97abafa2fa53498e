import { exploreShare } from './harness/shares.ts';

/** Half of the core flows: see harness/shares.ts. The two halves are run at the same time. */
exploreShare((flow) => flow.core === true, 0.1, 1, 2);
