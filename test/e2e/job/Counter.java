import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.accumulators.LongMaximum;
import org.apache.flink.api.common.accumulators.LongMinimum;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * A job that proves its own state: a source that counts 0, 1, 2, ... (its offset is Flink state) and a count per key (keyed state).
 * Number n has key n mod 7 and must be number floor(n / 7) of that key. After any restore the two states must fit each other,
 * so a record that was lost or counted twice ends the job with STATE LOST OR REPEATED, whatever the restart strategy.
 * Progress is read by REST: accumulators offset (newest number), first (number this process began with), checked.
 * With --output DIR every number also goes through a transactional sink: a file there is committed with the checkpoint it belongs to,
 * so that each number must be in exactly one committed file.
 * With --hold DIR a snapshot waits while DIR/snapshot exists, and the end of a task while DIR/close does, at most 20 s.
 * Arguments: --pause-ms P (5), --end N, --fail-at N, --checkpointing-ms I (in main()), --main-sleep-ms M, --throw-in-main.
 */
public final class Counter {
  static final long KEYS = 7;

  public static void main(String[] args) throws Exception {
    Thread.sleep(option(args, "--main-sleep-ms", 0));
    if (java.util.Arrays.asList(args).contains("--throw-in-main")) throw new IllegalStateException("main() throws, as asked");
    var env = StreamExecutionEnvironment.getExecutionEnvironment();
    long interval = option(args, "--checkpointing-ms", 0);
    if (interval > 0) env.enableCheckpointing(interval);
    long pause = option(args, "--pause-ms", 5);
    var numbers = new NumberSequenceSource(0, option(args, "--end", Long.MAX_VALUE) - 1);
    env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers").uid("numbers").setParallelism(1)
        .map(n -> { Thread.sleep(pause); return n; }).returns(Types.LONG).uid("pace").setParallelism(1)
        .keyBy(n -> n % KEYS, Types.LONG)
        .process(new Check(option(args, "--fail-at", -1), text(args, "--hold"))).uid("check")
        .sinkTo(sink(text(args, "--output"))).uid("sink").setParallelism(1);
    env.execute("counter");
  }

  static long option(String[] args, String name, long otherwise) {
    for (int i = 0; i + 1 < args.length; i++) if (args[i].equals(name)) return Long.parseLong(args[i + 1]);
    return otherwise;
  }

  static String text(String[] args, String name) {
    for (int i = 0; i + 1 < args.length; i++) if (args[i].equals(name)) return args[i + 1];
    return null;
  }

  static org.apache.flink.api.connector.sink2.Sink<Long> sink(String directory) {
    if (directory == null) return new DiscardingSink<>();
    return FileSink.forRowFormat(new Path(directory), new SimpleStringEncoder<Long>())
        .withBucketAssigner(new BasePathBucketAssigner<>()).withRollingPolicy(OnCheckpointRollingPolicy.build()).build();
  }

  static void holdWhile(String directory, String name) throws Exception {
    for (int i = 0; directory != null && i < 400 && new java.io.File(directory, name).exists(); i++) Thread.sleep(50);
  }

  static final class Check extends KeyedProcessFunction<Long, Long, Long> implements CheckpointedFunction {
    private final long failAt;
    private final String hold;
    private final LongMaximum offset = new LongMaximum();
    private final LongMinimum first = new LongMinimum();
    private final LongCounter checked = new LongCounter();
    private transient ValueState<Long> count;

    Check(long failAt, String hold) { this.failAt = failAt; this.hold = hold; }

    @Override public void initializeState(FunctionInitializationContext context) {}
    @Override public void snapshotState(FunctionSnapshotContext context) throws Exception { holdWhile(hold, "snapshot"); }
    @Override public void close() throws Exception { holdWhile(hold, "close"); }

    @Override public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
      getRuntimeContext().addAccumulator("offset", offset);
      getRuntimeContext().addAccumulator("first", first);
      getRuntimeContext().addAccumulator("checked", checked);
    }

    @Override public void processElement(Long n, Context context, Collector<Long> out) throws Exception {
      long seen = count.value() == null ? 0 : count.value();
      if (seen != n / KEYS) {
        var text = "STATE LOST OR REPEATED: number " + n + " of key " + n % KEYS + " found count " + seen + ", expected " + n / KEYS;
        System.err.println(text);
        throw new SuppressRestartsException(new IllegalStateException(text));
      }
      if (n == failAt) throw new SuppressRestartsException(new IllegalStateException("fails at " + n + ", as asked"));
      count.update(seen + 1);
      offset.add(n);
      first.add(n);
      checked.add(1L);
      out.collect(n);
    }
  }
}
