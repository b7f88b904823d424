import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import type { LogFormat, LogLevel } from '../config/index.ts'
import { formatHuman, type LogRecord } from './human-format.ts'
import type { LogFields, LogModule } from './log-fields.ts'
import { redactText, toLogObject, toLogValue } from './serialize.ts'

/** The message is a fixed lower-case phrase, what varies goes into the fields. */
export interface LogMethod {
  (message: string): void
  (fields: LogFields, message: string): void
}

/** A room's way to say something; `child` is called once per room. */
export interface Logger {
  /** Someone must act. */
  readonly error: LogMethod
  /** Someone will have to act. */
  readonly warn: LogMethod
  /** One line per period or per action of the operator. */
  readonly info: LogMethod
  /** Per chunk or message. */
  readonly debug: LogMethod
  /** Bytes, truncated. */
  readonly trace: LogMethod
  child(bindings: { readonly module: LogModule }): Logger
  isLevelEnabled(level: LogLevel): boolean
}

/** Where lines go: `process.stdout` for the daemon. */
export interface LogDestination {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** `auto` is human on a terminal, else JSON. */
  readonly format: LogFormat
  readonly destination: LogDestination
  /** NO_COLOR of the environment: any text but the empty one turns colours off. */
  readonly noColor?: string | undefined
}

/** The root logger of a process. One line per event: JSON (pino), or a sentence for people. */
export function createLogger(options: LoggerOptions): Logger {
  const { destination, level } = options
  const onTerminal = destination.isTTY === true
  const isHuman = options.format === 'human' || (options.format === 'auto' && onTerminal)
  const stream: DestinationStream = isHuman
    ? humanStream(destination, onTerminal && !options.noColor)
    : { write: (line) => void destination.write(line) }
  return pino(
    {
      level,
      // Host name and pid are what whoever collects the lines adds.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: toLogObject },
      // pino hands `err` to this before `formatters.log` sees the rest.
      serializers: { err: (error) => toLogValue(error) },
      hooks: {
        logMethod(args, method) {
          const last = args.length - 1
          const message: unknown = args[last]
          if (typeof message === 'string') args[last] = redactText(message)
          method.apply(this, args)
        },
      },
    },
    stream,
  )
}

function humanStream(destination: LogDestination, colour: boolean): DestinationStream {
  return {
    write(line) {
      destination.write(`${formatHuman(JSON.parse(line) as LogRecord, { colour })}\n`)
    },
  }
}
