import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HighAvailabilityMetadata } from '../../../src/api/status.ts';
import { leftoversOf } from '../../../src/core/metadata.ts';
import { UID } from './drive.ts';

const range: HighAvailabilityMetadata = { epoch: 9, from: 1, kind: 'kubernetes', storage: 's3://bucket/ha/' };

test('the line of the longest legal names, directory and failure is whole', () => {
  const longest = { ...range, storage: `s3://${'x'.repeat(295)}`, failure: 'y'.repeat(200), refused: true };
  const [line = ''] = leftoversOf({ name: 'n'.repeat(45), uid: UID }, [longest], true);
  assert.match(
    line,
    /^Epochs 1 to 9: ConfigMaps with label app=n{45}-[0-9a-f]{10} or .* \(not removed: y{200}\); files below s3:\/\/x{295}: .*, …$/,
  );
});

test('a line about a name that the API server would not store is cut', () => {
  const [line = ''] = leftoversOf({ name: 'n'.repeat(4000), uid: UID }, [range], false);
  assert.equal(line.length, 1000);
  assert.match(line, /^Epochs 1 to 9: .*…$/);
});
