import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A bounded job without checkpoints: counts the words of --input FILE into the folder --output DIR. */
public final class WordCount {
  public static void main(String[] args) throws Exception {
    var env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setRuntimeMode(RuntimeExecutionMode.BATCH);
    var lines = FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(text(args, "--input"))).build();
    env.fromSource(lines, WatermarkStrategy.noWatermarks(), "lines")
        .flatMap((String line, org.apache.flink.util.Collector<Tuple2<String, Integer>> out) -> {
          for (String word : line.trim().split(" +")) out.collect(Tuple2.of(word, 1));
        }).returns(Types.TUPLE(Types.STRING, Types.INT))
        .keyBy(word -> word.f0, Types.STRING)
        .sum(1)
        .map(word -> word.f0 + " " + word.f1).returns(Types.STRING)
        .sinkTo(FileSink.forRowFormat(new Path(text(args, "--output")), new SimpleStringEncoder<String>()).build());
    env.execute("word-count");
  }

  static String text(String[] args, String name) {
    for (int i = 0; i + 1 < args.length; i++) if (args[i].equals(name)) return args[i + 1];
    throw new IllegalArgumentException(name + " is missing");
  }
}
