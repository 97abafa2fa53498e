import { jarUri, oneJar, pythonAlone, pythonStart } from './code.ts';
import { confDir, fieldAndKey, keyTwice, ownedKey, removedKey, renamedKey } from './conf-keys.ts';
import { confKey, confValue, haStorage, legacyValue, valueFrom } from './conf-values.ts';
import { fileNames, fileSizes, specSize } from './files.ts';
import { flinkVersion, imageGiven, oneImage, sameVersion } from './image.ts';
import { jobName } from './name.ts';
import { nativeKey } from './native-keys.ts';
import { maxUnavailable, routeParent, scrapeInterval, webAddress } from './optional.ts';
import { labelForm, ownedLabel } from './pod-meta.ts';
import { containerImage, containerName, lastingPod, mainArgs, mountedVolume } from './pod-shape.ts';
import {
  containerNames,
  memoryMinimum,
  memoryWithinLimit,
  oneResources,
  quantityForm,
  requestWithinLimit,
} from './pods.ts';
import { policyDuration, schedule, standbyNeedsHighAvailability } from './policies.ts';
import type { Rule } from './rule.ts';
import { enoughSlots } from './scale.ts';
import { restoreFrom, savepointDirectory, savepointPath } from './state.ts';

/** Every rule beyond the schema. Their order means nothing: findings are sorted by path. */
export const RULES: readonly Rule[] = [
  jobName,
  imageGiven,
  oneImage,
  flinkVersion,
  sameVersion,
  oneJar,
  jarUri,
  pythonAlone,
  pythonStart,
  ownedKey,
  confDir,
  nativeKey,
  keyTwice,
  renamedKey,
  removedKey,
  fieldAndKey,
  confKey,
  confValue,
  legacyValue,
  valueFrom,
  haStorage,
  ownedLabel,
  labelForm,
  containerNames,
  containerName,
  containerImage,
  lastingPod,
  mountedVolume,
  mainArgs,
  quantityForm,
  requestWithinLimit,
  oneResources,
  memoryWithinLimit,
  memoryMinimum,
  enoughSlots,
  restoreFrom,
  savepointDirectory,
  savepointPath,
  policyDuration,
  schedule,
  standbyNeedsHighAvailability,
  webAddress,
  routeParent,
  maxUnavailable,
  scrapeInterval,
  fileNames,
  fileSizes,
  specSize,
];
