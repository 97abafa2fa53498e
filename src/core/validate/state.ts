import { isSet } from './conf-values.ts';
import { quoted, type Rule } from './rule.ts';

/** A nonce says "now"; it needs to know from where. */
export const restoreFrom: Rule = {
  id: 'restore-from',
  check: ({ spec }) => {
    if (spec.restore?.nonce === undefined || (spec.restore.from ?? '') !== '') return [];
    return [
      {
        path: 'spec.restore.nonce',
        is: `is ${spec.restore.nonce} without spec.restore.from`,
        want: 'the snapshot to restore in from',
      },
    ];
  },
};

/** Upgrades through savepoints need a place for them. */
export const savepointDirectory: Rule = {
  id: 'savepoint-directory',
  check: (subject) => {
    const { policies } = subject.spec;
    if (policies?.upgrade?.mode !== 'savepoint' || subject.unread.has('policies') || subject.unread.has('flinkConf'))
      return [];
    if (policies.savepoint?.directory !== undefined || isSet(subject, 'execution.checkpointing.savepoint-dir'))
      return [];
    const want = 'a directory in spec.policies.savepoint.directory';
    return [{ path: 'spec.policies.upgrade.mode', is: 'is savepoint without a savepoint directory', want }];
  },
};

/** A place that all processes can name. */
export const savepointPath: Rule = {
  id: 'savepoint-path',
  check: ({ spec }) =>
    (
      [
        ['spec.policies.savepoint.directory', spec.policies?.savepoint?.directory],
        ['spec.restore.from', spec.restore?.from],
      ] as const
    )
      .filter(([, path]) => path !== undefined && !/^([a-z][a-z0-9+.-]*:)?\/\S*$/i.test(path))
      .map(([path, value]) => ({
        path,
        is: `is ${quoted(value)}`,
        want: 'a URI such as s3://bucket/path, or a path from /',
      })),
};
