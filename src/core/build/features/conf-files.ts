import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Where the official images have their configuration. */
const USUAL = '/opt/flink/conf';

/** Where Flork's goes when the image's own folder is to stay. */
const SHADOW = '/opt/flork/conf';

/** The configuration folder: mounted over the image's own, or beside it for an entry point that merges the two. */
export const confFiles: Feature = {
  name: 'conf-files',
  pod: ({ spec, user }) => {
    const usual = user['kubernetes.flink.conf.dir'] ?? USUAL;
    if (spec.florkConf?.shadowConfigFiles !== true)
      return usual === USUAL ? main({}) : main({ env: [{ name: 'FLINK_CONF_DIR', value: usual }] });
    return main({
      env: [
        { name: 'FLINK_CONF_DIR', value: SHADOW },
        { name: 'FLORK_DESIRED_FLINK_CONF_PATH', value: usual },
      ],
    });
  },
  ownedPod: ({ spec, user, epochNames }) => {
    const mountPath =
      spec.florkConf?.shadowConfigFiles === true ? SHADOW : (user['kubernetes.flink.conf.dir'] ?? USUAL);
    return main(
      { volumeMounts: [{ name: 'flork-conf', mountPath, readOnly: true }] },
      { volumes: [{ name: 'flork-conf', configMap: { name: epochNames.configuration, defaultMode: 0o644 } }] },
    );
  },
};
