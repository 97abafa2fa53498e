import { mainImageOf } from '../../flink-version.ts';
import type { Feature } from '../feature.ts';
import { main, userResources } from '../pod.ts';

/** Fields of the FlinkJob that say in a word what its pod specs could say: the image and the resources of the main containers. */
export const shorthands: Feature = {
  name: 'shorthands',
  pod: (context, role) =>
    main({
      image: mainImageOf(context.spec, role) ?? mainImageOf(context.spec, 'jobmanager'),
      resources: userResources(context, role),
    }),
};
