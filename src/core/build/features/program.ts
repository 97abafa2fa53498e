import type { Context } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

const PYTHON_DRIVER = 'org.apache.flink.client.python.PythonDriver';

/** Where Flink puts the jar it fetches. */
const ARTIFACTS = '/opt/flink/artifacts';

/** The job's jar is fetched into a folder that is writable whatever user the image has. */
export const program: Feature = {
  name: 'program',
  pod: (context, role) => {
    const jar = jarOf(context);
    if (role === 'taskmanager' || jar === undefined || jar.startsWith('local:')) return main({});
    const mountPath = context.user['user.artifacts.base-dir'] ?? ARTIFACTS;
    return main(
      { volumeMounts: [{ name: 'flork-artifacts', mountPath }] },
      { volumes: [{ name: 'flork-artifacts', emptyDir: {} }] },
    );
  },
};

/** Jar, entry class and arguments of the job, as the last options of the JobManager. */
export function programOptions(context: Context): readonly string[] {
  const { python, jobClassName, jobArgs = [] } = context.spec;
  const jar = jarOf(context);
  const entryClass = python === undefined ? jobClassName : PYTHON_DRIVER;
  const given = python === undefined ? jobArgs : [...pythonOptions(python), ...behindDashes(jobArgs)];
  return [
    ...(jar === undefined ? [] : ['--jars', literal(jar)]),
    ...(entryClass === undefined ? [] : ['--job-classname', literal(entryClass)]),
    ...behindDashes(given.map(literal)),
  ];
}

/** The job's jar: `jarURI`, or the one entry of `pipeline.jars`; `undefined` when it lies in usrlib. */
function jarOf({ spec, user }: Context): string | undefined {
  return spec.jarURI ?? user['pipeline.jars']?.trim();
}

/** Behind `--` nothing is taken for an option of Flink, not even by its first letters. */
function behindDashes(args: readonly string[]): readonly string[] {
  return args.length === 0 ? [] : ['--', ...args];
}

function pythonOptions({ script, module, files = [] }: NonNullable<Context['spec']['python']>): readonly string[] {
  return [
    ...(script === undefined ? [] : ['-py', script]),
    ...(module === undefined ? [] : ['-pym', module]),
    ...(files.length === 0 ? [] : ['-pyfs', files.join(',')]),
  ];
}

/** An argument that the kubelet passes on as written: it would replace `$(X)` and make one of `$$`. */
function literal(argument: string): string {
  return argument.replaceAll(/\$(?=[$(])/g, '$$$$');
}
