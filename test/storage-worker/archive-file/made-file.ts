import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attestExecutions } from '../../../archiver/attestation.ts'
import { encodeExecution } from '../../../archiver/index.ts'
import { findForgedSignature } from '../../../archiver/signature-list.ts'
import { type ArchivedPeriod, computeChunkId, type Period } from '../../../core/index.ts'
import type { MadeChain } from '../../../devnet/index.ts'
import type { ByteSource } from '../../../storage-worker/archive-file/byte-source.ts'
import type { FileCpu } from '../../../storage-worker/archive-file/check-period.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { buildFile } from '../../core/archive-file/whole-file.ts'
import { archivedOf, type Change, IDENTITY, verifyOnce } from '../bootstrap/made-archive.ts'

const SEED = new Uint8Array(32).fill(3)

/** Some threads are silent now and then; operations are in some blocks. */
export const CHAIN = chainOf('archive file', 24, { missRate: 0.3, operationsPerBlock: 1 })

/** The work of the threads, in this one; what verified once is not verified again. */
export const quickCpu: FileCpu = {
  identifyChunk: async (chunk) => ({ chunk, chunkId: computeChunkId(chunk) }),
  verifyRecords: async (records) => records.map(verifyOnce),
  findForged: async (list) => findForgedSignature(list),
}

/** A period of a chain with signed execution results, as an archiver leaves it. */
export function wholePeriod(chain: MadeChain, period: Period, change?: Change): ArchivedPeriod {
  const execution = { source: 'stream', complete: true, trailHash: `${period}`, outcomes: [], events: [] } as const
  const executions = new Map([[1, encodeExecution(execution)]])
  const executionResults = attestExecutions(executions, { network: NETWORK, period }, SEED)
  return { ...archivedOf(chain, period, change), executionResults }
}

const made = new Map<string, ArchivedPeriod>()

/** Periods of `CHAIN`; each is made once. */
export function periodsOf(from: Period, to: Period): ArchivedPeriod[] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    const key = `${from + i}`
    const period = made.get(key) ?? wholePeriod(CHAIN, from + i)
    made.set(key, period)
    return period
  })
}

export function fileOf(periods: readonly ArchivedPeriod[]): Uint8Array {
  return buildFile(IDENTITY, periods)
}

/** A file in memory, and the ranges that were read of it. */
export function sourceOf(bytes: Uint8Array): ByteSource & { readonly reads: (readonly [number, number])[] } {
  const reads: (readonly [number, number])[] = []
  return {
    name: 'memory',
    sizeBytes: bytes.length,
    reads,
    read: async (offset, length) => {
      reads.push([offset, length])
      return bytes.slice(offset, offset + length)
    },
    close: async () => undefined,
  }
}

/** A server of one file on loopback, which `answer` may answer for. */
export async function serveFile(
  bytes: Uint8Array,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<{ readonly url: string; readonly ranges: string[]; stop(): Promise<void> }> {
  const ranges: string[] = []
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? '')
    if (!answer(request, response)) giveRange(bytes, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}/file.mhs`, ranges, stop }
}

/** What any server of static files does. @param changes - headers, and bytes beside those that were asked for */
export function giveRange(
  bytes: Uint8Array,
  request: IncomingMessage,
  response: ServerResponse,
  changes: { readonly headers?: Record<string, string>; readonly body?: (bytes: Uint8Array) => Uint8Array } = {},
): void {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const from = first === '' ? Math.max(0, bytes.length - Number(last)) : Number(first)
  const to = first === '' ? bytes.length : Math.min(bytes.length, Number(last) + 1)
  const body = bytes.subarray(from, to)
  const range = `bytes ${from}-${to - 1}/${bytes.length}`
  response.writeHead(206, { 'content-range': range, etag: '"one"', ...changes.headers })
  response.end(changes.body ? changes.body(body) : body)
}
