import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ArchiveError } from '../../core/index.ts'
import { buildTimeline, type Recording } from './timeline.ts'

/** A recording of a day would still fit; what is larger is not a recording. */
const MAX_RECORDING_BYTES = 1024 ** 3
/** A message of 64 MiB in base64, and what stands around it. */
const MAX_LINE_BYTES = 96 * 1024 * 1024
/** Lines parsed before other work gets its turn: a few milliseconds. */
const LINES_PER_TURN = 32
const NEWLINE = 10
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

interface MessageBase {
  /** Milliseconds since the recording was started. */
  readonly tMs: number
  /** 1 is the first. */
  readonly line: number
}

/** One line of a recording. */
export type RecordedMessage = MessageBase &
  (
    | { readonly kind: 'open'; readonly stream: string; readonly request: Uint8Array }
    | { readonly kind: 'stream'; readonly stream: string; readonly message: Uint8Array }
    | { readonly kind: 'call'; readonly rpc: string; readonly request: Uint8Array; readonly response?: Uint8Array }
  )

/** @throws ArchiveError DEVNET_RECORDING_INVALID, with the number of the line */
export function recordingInvalid(line: number, reason: string, cause?: unknown): ArchiveError {
  return new ArchiveError('DEVNET_RECORDING_INVALID', `line ${line} of the recording: ${reason}`, { line }, cause)
}

/**
 * Reads a recording of a massa-node and works out what the node knew at which moment.
 *
 * @param path - NDJSON, plain or gzip, at most 1 GiB unpacked; one `{t, open | stream | rpc, ...}` a line, bodies in
 *   base64 (devnet/recordings/PROVENANCE.md)
 * @throws ArchiveError DEVNET_RECORDING_MISSING, DEVNET_RECORDING_INVALID (context: line)
 */
export async function readRecording(path: string): Promise<Recording> {
  return buildTimeline(readRecordingMessages(await readRecordingFile(path)))
}

/** The unpacked bytes of a recording. @throws as readRecording */
export async function readRecordingFile(path: string): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new ArchiveError('DEVNET_RECORDING_MISSING', `the recording ${path} cannot be read`, { path }, error)
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: MAX_RECORDING_BYTES })
    } catch (error) {
      throw new ArchiveError(
        'DEVNET_RECORDING_INVALID',
        `${path} does not unpack: it is damaged or too large`,
        { path },
        error,
      )
    }
  }
  if (bytes.length > MAX_RECORDING_BYTES) {
    throw new ArchiveError('DEVNET_RECORDING_INVALID', `${path} is larger than 1 GiB`, { path })
  }
  return bytes
}

/** The messages of a recording in the order of its lines. @throws ArchiveError DEVNET_RECORDING_INVALID */
export async function* readRecordingMessages(bytes: Buffer): AsyncGenerator<RecordedMessage> {
  let line = 0
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline
    line++
    if (end - start > MAX_LINE_BYTES) throw recordingInvalid(line, 'it is longer than 96 MiB')
    if (end > start) yield parseRecordedMessage(bytes.toString('utf8', start, end), line)
    if (line % LINES_PER_TURN === 0) await setImmediate()
    start = end + 1
  }
}

function parseRecordedMessage(text: string, line: number): RecordedMessage {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw recordingInvalid(line, 'it is not JSON', error)
  }
  if (typeof parsed !== 'object' || parsed === null) throw recordingInvalid(line, 'it is not an object')
  const fields = parsed as Record<string, unknown>
  const { t } = fields
  if (typeof t !== 'number' || !Number.isFinite(t) || t < 0) throw recordingInvalid(line, 't is not a time')
  const base = { tMs: t, line }
  const bytesOf = (name: string) => parseBase64(fields[name], name, line)
  if (typeof fields.open === 'string') {
    return { ...base, kind: 'open', stream: fields.open, request: bytesOf('request') }
  }
  if (typeof fields.stream === 'string') {
    return { ...base, kind: 'stream', stream: fields.stream, message: bytesOf('msg') }
  }
  if (typeof fields.rpc === 'string') {
    const call = { ...base, kind: 'call' as const, rpc: fields.rpc, request: bytesOf('request') }
    if (fields.response !== undefined) return { ...call, response: bytesOf('response') }
    if (typeof fields.error === 'object' && fields.error !== null) return call
  }
  throw recordingInvalid(line, 'it is neither a stream, nor a message of one, nor a call with its answer')
}

function parseBase64(value: unknown, name: string, line: number): Buffer {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !BASE64.test(value)) {
    throw recordingInvalid(line, `${name} is not base64`)
  }
  return Buffer.from(value, 'base64')
}
