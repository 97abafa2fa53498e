import type { FlinkJobSpec } from '../api/flinkjob.ts';
import type { Handled } from '../api/status.ts';

/** The nonces whose handling is a new epoch: they stand in its record, so that a wiped status does not repeat them. */
export type EpochNonces = Pick<Handled, 'restoreNonce' | 'restartNonce'>;

/** The nonces that an epoch of this spec has acted on; one that the spec no longer says stays as it was. */
export function epochNonces(spec: FlinkJobSpec, before: Handled | undefined): EpochNonces {
  return noncesOf(spec.restore?.nonce ?? before?.restoreNonce, spec.restartNonce ?? before?.restartNonce);
}

/** The part of what was handled that an epoch's record holds. */
export function recordedNonces(handled: Handled | undefined): EpochNonces {
  return noncesOf(handled?.restoreNonce, handled?.restartNonce);
}

function noncesOf(restoreNonce: number | undefined, restartNonce: number | undefined): EpochNonces {
  return {
    ...(restoreNonce === undefined ? {} : { restoreNonce }),
    ...(restartNonce === undefined ? {} : { restartNonce }),
  };
}
