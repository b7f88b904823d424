import { styleText } from 'node:util'
import { escapeControls } from '../core/escape-controls.ts'

/** A log line as pino writes it: level, time, module, msg and the fields. */
export type LogRecord = Readonly<Record<string, unknown>>

type Colour = Parameters<typeof styleText>[0]

const LEVEL_COLOURS: Readonly<Record<string, Colour>> = {
  error: 'red',
  fatal: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'cyan',
  trace: 'gray',
}

/** Not part of `key=value`. */
const OWN_FIELDS = new Set(['level', 'time', 'msg', 'err', 'module'])

/**
 * Fixed message to sentence. The words do not change with the numbers (`1 chunks`): people search for these lines and
 * programs match them.
 */
const SENTENCES: Readonly<Record<string, (record: LogRecord) => string>> = {
  'archived period': ({ period, blocks, operations, chunks }) =>
    `Archived period ${period}: ${blocks} blocks, ${operations} operations, ${chunks} chunks`,
  'bootstrap progress': ({ periods, wantedPeriods, bodyBytes, periodsPerSecond, etaMs }) => {
    const eta = etaMs === undefined ? '' : `, about ${Math.max(1, Math.round(Number(etaMs) / 60_000))} min`
    const rate = Math.round(Number(periodsPerSecond))
    return `Bootstrap: periods ${periods} of ${wantedPeriods}, ${Math.round(Number(bodyBytes) / 1e6)} MB, ${rate} periods/s${eta}`
  },
  'challenge issued': ({ node, chunk }) => `Challenge issued to ${node} for chunk ${chunk}`,
  'proof received': ({ node, result }) => `Proof received from ${node} - ${String(result).toUpperCase()}`,
  'success rate updated': ({ node, passed, total }) =>
    `Success rate updated: ${node} = ${Math.round((1_000 * Number(passed)) / Number(total)) / 10}%`,
  'chunks assigned': ({ assignments }) =>
    `Chunks assigned to nodes: ${Object.entries(Object(assignments))
      .map(([node, count]) => `${node}[${count}]`)
      .join(', ')}`,
  'chunks let go': ({ chunks, sizeBytes, eras, replicas }) =>
    `Let go ${chunks} chunks, ${(Number(sizeBytes) / 1e9).toFixed(3)} GB, of ${eras} eras: held by ${replicas} others each`,
}

/**
 * One log line for people, without the final line feed: `[INFO] message key=value`, or the sentence of its message.
 *
 * Control characters in values are escaped, so that data of a stranger cannot move the cursor of a terminal.
 */
export function formatHuman(record: LogRecord, options: { readonly colour: boolean }): string {
  const level = String(record.level)
  const tag = `[${level.toUpperCase()}]`
  const colour = LEVEL_COLOURS[level]
  const shownTag = options.colour && colour !== undefined ? styleText(colour, tag, { validateStream: false }) : tag
  const sentence = SENTENCES[String(record.msg)]
  const text = sentence === undefined ? formatFields(record, level) : escapeControls(sentence(record))
  return `${shownTag} ${text}${formatError(record.err, level)}`
}

function formatFields(record: LogRecord, level: string): string {
  const fields = Object.entries(record)
    .filter(([key, value]) => !OWN_FIELDS.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
  // The room matters to whoever looks for a fault, not to whoever watches the archive grow.
  if (level !== 'info' && record.module !== undefined) fields.push(`module=${formatValue(record.module)}`)
  return [escapeControls(String(record.msg ?? '')), ...fields].join(' ')
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') {
    return /^[^\s"=]+$/.test(value) ? escapeControls(value) : escapeControls(JSON.stringify(value))
  }
  return escapeControls(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

function formatError(err: unknown, level: string): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : `: ${formatValue(err)}`
  const { type, message, code, action, stack, cause } = err as Record<string, unknown>
  const name = code ?? type
  const what = `: ${escapeControls(String(message))}${name === undefined ? '' : ` (${escapeControls(String(name))})`}`
  const advice = typeof action === 'string' && level === 'error' ? `. ${action}` : ''
  const trace = typeof stack === 'string' ? `\n${stack.split('\n').slice(1).map(escapeControls).join('\n')}` : ''
  const why = formatCause(cause)
  return `${what}${why}${advice}${trace}`
}

function formatCause(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return ''
  const { message, cause: next } = cause as Record<string, unknown>
  // One line per cause is enough: a multi-line message (TOML with its excerpt) says all in the first.
  return `, because ${escapeControls(String(message).split('\n')[0] ?? '')}${formatCause(next)}`
}
