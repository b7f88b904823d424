/*
 * Makes the recordings of this project from full recordings of sandbox nodes: the one that `replay` plays, and the
 * cuts that tests read. Lines are chosen, never changed.
 *
 *   node --import tsx --conditions=source scripts/cut-recordings.ts SOURCE_FOLDER
 *
 * SOURCE_FOLDER holds full.ndjson.gz, push.ndjson.gz, pull.ndjson.gz and fork.ndjson.gz.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  RawFilledBlockCodec,
  SecureHashCodec,
  SignedBlockHeaderCodec,
  slotFromProtobuf,
} from '../core/index.ts'

const MAX_FIXTURE_BYTES = 1024 * 1024
const MAX_REPLAYED_BYTES = 8 * MAX_FIXTURE_BYTES
/** Competing blocks stand at (16, 15) and (16, 17), denunciations from (16, 16) on. */
const FORK_PERIODS = { first: 14, last: 18 }
const PUSH_LAST_PERIOD = 9

interface Line {
  readonly text: string
  readonly tMs: number
  /** Period of a streamed block or output; absent for everything else. */
  readonly period?: number
  readonly rpc?: string
  /** Ids of the blocks in it. */
  readonly blockIds: readonly string[]
  /** Ids of the operations in it, or named by its blocks. */
  readonly operationIds: readonly string[]
}

const [source] = process.argv.slice(2)
if (source === undefined) throw new Error('give the folder of the full recordings')
const root = fileURLToPath(new URL('..', import.meta.url))

const push = readLines('push')
const whole = foldIn(push, readLines('full'))
write('devnet/recordings/sandbox.ndjson.gz', whole, MAX_REPLAYED_BYTES)
write(
  'test/fixtures/sandbox/push.ndjson.gz',
  cutPeriods(whole, { first: 0, last: PUSH_LAST_PERIOD }),
  MAX_FIXTURE_BYTES,
)
const fork = readLines('fork').filter((line) => line.rpc === undefined || line.rpc === 'GetStatus')
write('test/fixtures/sandbox/fork.ndjson.gz', cutPeriods(fork, FORK_PERIODS), MAX_FIXTURE_BYTES)
write('test/fixtures/sandbox/pull.ndjson.gz', longestThatFits(readLines('pull'), MAX_FIXTURE_BYTES), MAX_FIXTURE_BYTES)

/** `streams` and those answers of `pulled` that hold a block or operation missing in it, in order of time. */
function foldIn(streams: readonly Line[], pulled: readonly Line[]): Line[] {
  const known = new Set(streams.flatMap((line) => line.blockIds))
  const blocks = pulled.filter((line) => line.rpc === 'GetBlocks' && line.blockIds.some((id) => !known.has(id)))
  const wanted = new Set(blocks.flatMap((line) => line.operationIds))
  const operations = pulled.filter(
    (line) => line.rpc === 'GetOperations' && line.operationIds.some((id) => wanted.has(id)),
  )
  return [...streams, ...blocks, ...operations].sort((a, b) => a.tMs - b.tMs)
}

/** What was streamed of these periods, and the status answers from their first output to their last. */
function cutPeriods(lines: readonly Line[], { first, last }: { first: number; last: number }): Line[] {
  const inside = lines.filter((line) => line.period !== undefined && line.period >= first && line.period <= last)
  const outputs = inside.filter((line) => line.blockIds.length === 0)
  const fromMs = first === 0 ? 0 : (outputs[0]?.tMs ?? 0)
  const toMs = outputs.at(-1)?.tMs ?? 0
  const others = lines.filter((line) => line.period === undefined && line.tMs >= fromMs && line.tMs <= toMs)
  const opens = first === 0 ? [] : lines.filter((line) => line.text.includes('"open"'))
  return [...opens, ...inside, ...others].sort((a, b) => a.tMs - b.tMs)
}

/** As many whole rounds of polling as fit: a round begins with GetStatus. */
function longestThatFits(lines: readonly Line[], maxBytes: number): Line[] {
  let kept = [...lines]
  while (pack(kept).length > maxBytes)
    kept = kept.slice(
      0,
      kept.findLastIndex((line) => line.rpc === 'GetStatus'),
    )
  return kept
}

function write(path: string, lines: readonly Line[], maxBytes: number): void {
  const packed = pack(lines)
  if (packed.length > maxBytes) throw new Error(`${path} would be ${packed.length} bytes, at most ${maxBytes}`)
  writeFileSync(join(root, path), packed)
  const sha256 = createHash('sha256').update(packed).digest('hex')
  console.log(`${path}: ${lines.length} lines, ${packed.length} bytes, sha256 ${sha256}`)
}

function pack(lines: readonly Line[]): Buffer {
  return gzipSync(lines.map((line) => `${line.text}\n`).join(''), { level: 9 })
}

function readLines(name: string): Line[] {
  const text = gunzipSync(readFileSync(join(source ?? '', `${name}.ndjson.gz`))).toString('utf8')
  return text.split('\n').filter(Boolean).map(parseLine)
}

function parseLine(text: string): Line {
  const fields = JSON.parse(text) as { t: number; stream?: string; rpc?: string; msg?: string; response?: string }
  const base = { text, tMs: fields.t, blockIds: [], operationIds: [] }
  const bytes = Buffer.from(fields.msg ?? fields.response ?? '', 'base64')
  if (fields.stream === 'NewFilledBlocksServer') {
    const filled = RawFilledBlockCodec.decode(NewFilledBlocksResponseCodec.decode(bytes).filledBlock ?? bytes)
    const header = SignedBlockHeaderCodec.decode(filled.header ?? bytes)
    const operationIds = (filled.operations ?? []).map((entry) => entry.operationId ?? '')
    return {
      ...base,
      period: slotFromProtobuf(header.content?.slot).period,
      blockIds: [header.secureHash ?? ''],
      operationIds,
    }
  }
  if (fields.stream === 'NewSlotExecutionOutputsServer') {
    const { output } = NewSlotExecutionOutputsResponseCodec.decode(bytes)
    return { ...base, period: slotFromProtobuf(output?.executionOutput?.slot).period }
  }
  if (fields.rpc === undefined) return base
  const call = { ...base, rpc: fields.rpc }
  if (fields.rpc === 'GetBlocks') {
    const blocks = GetBlocksResponseCodec.decode(bytes).wrappedBlocks ?? []
    return {
      ...call,
      blockIds: blocks.map(({ block }) => SecureHashCodec.decode(block?.header ?? bytes).secureHash ?? ''),
      operationIds: blocks.flatMap(({ block }) => block?.operations ?? []),
    }
  }
  if (fields.rpc === 'GetOperations') {
    const operations = GetOperationsResponseCodec.decode(bytes).wrappedOperations ?? []
    return {
      ...call,
      operationIds: operations.map(({ operation }) => SecureHashCodec.decode(operation ?? bytes).secureHash ?? ''),
    }
  }
  return call
}
