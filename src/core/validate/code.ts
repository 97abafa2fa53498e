import { confPath, configured, quoted, type Rule } from './rule.ts';

/** The jar has two spellings; pipeline.jars names exactly one jar. */
export const oneJar: Rule = {
  id: 'one-jar',
  check: (subject) => {
    const key = configured(subject, 'pipeline.jars');
    const jars = key?.text.split(';').filter((jar) => jar.trim() !== '') ?? [];
    if (key === undefined) return [];
    if (jars.length > 1) {
      const want = 'one jar; put further jars into /opt/flink/usrlib of the image';
      return [{ path: confPath(key.key), is: `names ${jars.length} jars`, want }];
    }
    const field = subject.spec.jarURI;
    if (field === undefined || field === key.text.trim()) return [];
    return [
      {
        path: confPath(key.key),
        is: `is ${quoted(key.text)} while spec.jarURI is ${quoted(field)}`,
        want: 'one of the two',
      },
    ];
  },
};

/** Flink fetches the jar by its scheme. */
export const jarUri: Rule = {
  id: 'jar-uri',
  check: (subject) => {
    const key = configured(subject, 'pipeline.jars');
    const uri = subject.spec.jarURI ?? key?.text.trim();
    if (uri === undefined || uri.includes(';')) return [];
    const path = subject.spec.jarURI !== undefined || key === undefined ? 'spec.jarURI' : confPath(key.key);
    const scheme = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/\S+$/i.exec(uri)?.groups?.['scheme']?.toLowerCase();
    if (scheme === undefined) {
      return [
        { path, is: `is ${quoted(uri)}`, want: 'a URI such as local:///opt/flink/usrlib/job.jar, https://… or s3://…' },
      ];
    }
    if (scheme !== 'http' || configured(subject, 'user.artifacts.raw-http-enabled')?.text === 'true') return [];
    return [
      { path, is: 'is fetched by plain http', want: 'https, or user.artifacts.raw-http-enabled: true in flinkConf' },
    ];
  },
};

/** A job is written in one language. */
export const pythonAlone: Rule = {
  id: 'python-alone',
  check: (subject) => {
    const { python, jarURI, jobClassName } = subject.spec;
    if (python === undefined) return [];
    const jars = configured(subject, 'pipeline.jars');
    const others = [
      jarURI !== undefined && 'spec.jarURI',
      jobClassName !== undefined && 'spec.jobClassName',
      jars !== undefined && confPath(jars.key),
    ].filter((path) => path !== false);
    return others.map((path) => ({ path, is: 'is set beside spec.python', want: 'one of the two' }));
  },
};

/** A Python job has one beginning. */
export const pythonStart: Rule = {
  id: 'python-start',
  check: ({ spec }) => {
    if (spec.python === undefined || (spec.python.script === undefined) !== (spec.python.module === undefined))
      return [];
    const is = spec.python.script === undefined ? 'has neither script nor module' : 'has both script and module';
    return [{ path: 'spec.python', is, want: 'exactly one of them' }];
  },
};
