export { formatHuman, type LogRecord } from './human-format.ts'
export { LOG_FIELDS, type LogField, type LogFields, type LogModule, type LogValue } from './log-fields.ts'
export { createLogger, type LogDestination, type Logger, type LoggerOptions, type LogMethod } from './logger.ts'
export {
  AUDIT_RESULTS,
  type CallResult,
  CHALLENGE_ENDS,
  CHUNK_SOURCES,
  type ChunkSource,
  createMetrics,
  listMetrics,
  type Metrics,
  type MetricsOptions,
  type NodeRpc,
  READ_REASONS,
  READING_SOURCES,
  REFUSAL_CODES,
  type ReadReason,
  type RefusalCode,
  renderMetrics,
} from './metrics.ts'
export { toLogValue } from './serialize.ts'
