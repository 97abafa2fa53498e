import type { Context } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Where the official images have their configuration. */
const USUAL = '/opt/flink/conf';

/** Where Flork's goes when the image's own folder is to stay. */
const SHADOW = '/opt/flork/conf';

/** The configuration folder: mounted over the image's own, or beside it for an entry point that merges the two. */
export const confFiles: Feature = {
  name: 'conf-files',
  pod: (context) => {
    if (!isShadowed(context)) return {};
    return main({
      env: [
        { name: 'FLINK_CONF_DIR', value: SHADOW },
        { name: 'FLORK_DESIRED_FLINK_CONF_PATH', value: USUAL },
      ],
    });
  },
  ownedPod: (context) =>
    main(
      { volumeMounts: [{ name: 'flork-conf', mountPath: isShadowed(context) ? SHADOW : USUAL, readOnly: true }] },
      { volumes: [{ name: 'flork-conf', configMap: { name: context.epochNames.configuration, defaultMode: 0o644 } }] },
    ),
};

function isShadowed({ spec }: Context): boolean {
  return spec.florkConf?.shadowConfigFiles === true;
}
