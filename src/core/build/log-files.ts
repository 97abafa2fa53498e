/**
 * Logging configuration for a configuration folder that replaces the image's own: everything to the console, where Kubernetes
 * reads it, and to a file of limited size, which Flink's web UI shows. `additionalConfFiles` of the same name win.
 *
 * Why a process ends is written, root cause first, to the container's termination message: the end of the log has only what Flink
 * says while it shuts down, behind a stack trace of several kilobytes. The two loggers speak at ERROR but once, before they exit.
 */

const LOG4J = `# Written by Flork; give a file of this name in additionalConfFiles to replace it.
monitorInterval = 30
rootLogger.level = \${env:ROOT_LOG_LEVEL:-INFO}
rootLogger.appenderRef.console.ref = Console
rootLogger.appenderRef.file.ref = File

appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1.} %x - %m%n

appender.file.type = RollingFile
appender.file.name = File
appender.file.fileName = \${sys:log.file}
appender.file.filePattern = \${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p %c{1.} %x - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 50MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = \${env:MAX_LOG_FILE_NUMBER:-3}

logger.pekko.name = org.apache.pekko
logger.pekko.level = INFO
logger.kafka.name = org.apache.kafka
logger.kafka.level = INFO
logger.zookeeper.name = org.apache.flink.shaded.zookeeper3
logger.zookeeper.level = INFO

logger.entrypoint.name = org.apache.flink.runtime.entrypoint.ClusterEntrypoint
logger.entrypoint.appenderRef.end.ref = End
logger.taskmanager.name = org.apache.flink.runtime.taskexecutor.TaskManagerRunner
logger.taskmanager.appenderRef.end.ref = End

appender.end.type = File
appender.end.name = End
appender.end.fileName = /dev/termination-log
appender.end.createOnDemand = true
appender.end.filter.threshold.type = ThresholdFilter
appender.end.filter.threshold.level = ERROR
appender.end.layout.type = PatternLayout
appender.end.layout.pattern = %m%n%rEx{2}%n
`;

const LOGBACK = `<!-- Written by Flork; give a file of this name in additionalConfFiles to replace it. -->
<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %-5level %logger{40} %X - %msg%n</pattern></encoder>
  </appender>
  <appender name="file" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>\${log.file}</file>
    <rollingPolicy class="ch.qos.logback.core.rolling.FixedWindowRollingPolicy">
      <fileNamePattern>\${log.file}.%i</fileNamePattern>
      <maxIndex>3</maxIndex>
    </rollingPolicy>
    <triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy">
      <maxFileSize>50MB</maxFileSize>
    </triggeringPolicy>
    <encoder><pattern>%d{ISO8601} %-5level %logger{40} %X - %msg%n</pattern></encoder>
  </appender>
  <appender name="end" class="ch.qos.logback.core.FileAppender">
    <file>/dev/termination-log</file>
    <filter class="ch.qos.logback.classic.filter.ThresholdFilter"><level>ERROR</level></filter>
    <encoder><pattern>%msg%n%rEx{2}</pattern></encoder>
  </appender>
  <logger name="org.apache.flink.runtime.entrypoint.ClusterEntrypoint"><appender-ref ref="end"/></logger>
  <logger name="org.apache.flink.runtime.taskexecutor.TaskManagerRunner"><appender-ref ref="end"/></logger>
  <root level="INFO">
    <appender-ref ref="console"/>
    <appender-ref ref="file"/>
  </root>
</configuration>
`;

/** File name to text. The processes read the ones for the console; the others serve Flink's tools. */
export const LOG_FILES: Readonly<Record<string, string>> = {
  'log4j-console.properties': LOG4J,
  'log4j.properties': LOG4J,
  'logback-console.xml': LOGBACK,
  'logback.xml': LOGBACK,
};
