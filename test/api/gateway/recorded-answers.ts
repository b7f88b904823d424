import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { parseAttestedExecutions } from '../../../archiver/attestation.ts'
import {
  type ArchivedPeriod,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  findTarget,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  parseBody,
  parseOperationContent,
  type Slot,
  THREAD_COUNT,
  toHex,
} from '../../../core/index.ts'
import type { KnownRoots } from '../../core/reading/second-implementation.ts'
import { fixturePath } from '../../devnet/fixture.ts'
import type { SimRandom } from '../../sim/sim-random.ts'

/** Answers of an archive, and what to ask it for. */

/** One line of the file that `massa_archive.py answers` reads. */
export interface AnswerCase {
  /** Path and query. */
  readonly request: string
  /** Base64 of its bytes. */
  readonly answer: string
  /** Answers to what else has to be asked to verify it, by path; a number: those of that line of the file. */
  readonly others?: Readonly<Record<string, string>> | number
  readonly trusted: KnownRoots
}

/** What the second implementation makes of it. */
export type AnswerResult = { readonly verified: string } | { readonly refused: string; readonly why: string }

type Kind =
  | 'block'
  | 'operation'
  | 'endorsement'
  | 'slot'
  | 'period'
  | 'address'
  | 'blocks'
  | 'endorsements'
  | 'events'
  | 'range'
  | 'chunk'
  | 'raw'
  | 'search'
  | 'stream'
  | 'export'
const KINDS: readonly Kind[] = [
  ...(['block', 'operation', 'endorsement', 'slot', 'period', 'address'] as const),
  ...(['range', 'chunk', 'raw', 'search', 'stream', 'slot', 'export'] as const),
  ...(['blocks', 'endorsements', 'events'] as const),
]
/** Of lists and ranges: the second implementation is slow. */
const MAX_PERIODS = 3

interface Names {
  readonly blocks: string[]
  readonly operations: string[]
  readonly endorsements: string[]
  readonly addresses: string[]
  /** Addresses. */
  readonly producers: string[]
  readonly endorsers: string[]
  /** In call stacks of events. */
  readonly called: { readonly address: string; readonly period: number }[]
}

/** Asks a gateway for random things, of each kind as many. */
export class RandomAsker {
  private readonly server: FastifyInstance
  private readonly periods: readonly ArchivedPeriod[]
  private readonly names: Names
  private readonly random: SimRandom
  private readonly trusted: KnownRoots

  constructor(server: FastifyInstance, periods: readonly ArchivedPeriod[], random: SimRandom) {
    this.server = server
    this.periods = periods
    this.names = listNames(periods)
    this.random = random
    this.trusted = {
      periodRoots: Object.fromEntries(periods.map(({ summary }) => [summary.period, toHex(summary.root)])),
    }
  }

  async ask(count: number): Promise<AnswerCase[]> {
    const cases: AnswerCase[] = []
    while (cases.length < count) cases.push(await this.askFor(KINDS[cases.length % KINDS.length] ?? 'block'))
    return cases
  }

  private async askFor(kind: Kind): Promise<AnswerCase> {
    const { random, names } = this
    switch (kind) {
      case 'block':
        return this.get(`/v1/blocks/${random.pick(names.blocks)}?proof=true`)
      case 'operation':
        return this.get(`/v1/operations/${random.pick(names.operations)}?proof=true`)
      case 'endorsement':
        return this.get(`/v1/endorsements/${random.pick(names.endorsements)}?proof=true`)
      case 'slot':
        return this.get(`/v1/slots/${this.pickPeriod().summary.period}/${random.below(THREAD_COUNT)}?proof=true`)
      case 'period': {
        const { manifest, summary } = this.pickPeriod()
        const chunks = manifest.chunks.map(({ chunkId }) => `/chunk/${toHex(chunkId)}`)
        return this.get(`/v1/periods/${summary.period}?proof=true`, chunks)
      }
      case 'address': {
        const { from, to } = this.pickRange()
        const role = random.pick(['', '&role=creator', '&role=target'])
        const list = `/v1/addresses/${random.pick(names.addresses)}/operations?from=${from}&to=${to}&limit=5${role}`
        return this.getPage(list, [`/v1/completeness?from=${from}&to=${to}&bodies=true`])
      }
      case 'blocks':
      case 'endorsements': {
        const { from, to } = this.pickRange()
        const address = random.pick(kind === 'blocks' ? names.producers : names.endorsers)
        const list = `/v1/addresses/${address}/${kind}?from=${from}&to=${to}&limit=2`
        return this.getPage(list, [`/v1/completeness?from=${from}&to=${to}&bodies=true`])
      }
      case 'events': {
        const { address, period } = random.pick(names.called)
        const { from, to } = this.pickRange(period)
        const proof = random.pick(['', '&proof=true'])
        const list = `/v1/addresses/${address}/events?from=${from}&to=${to}&limit=2${proof}`
        // Of all periods of the range, what executing them did.
        const files = Array.from({ length: to - from + 1 }, (_, i) => `/period/${from + i}`)
        return this.getPage(list, files)
      }
      case 'range': {
        const { from, to } = this.pickRange()
        return this.get(`/v1/completeness?from=${from}&to=${to}${random.pick(['', '&bodies=true'])}`)
      }
      case 'chunk':
        return this.get(`/chunk/${this.pickChunk()}`)
      case 'raw':
        return this.get(`/period/${this.pickPeriod().summary.period}`)
      case 'search':
        return this.askSearch()
      case 'export':
        return this.askExport()
      case 'stream': {
        const { period } = this.pickPeriod().summary
        return this.get(`/v1/stream/final?from=${period}`, [`/v1/completeness?from=${period}&to=${period}&bodies=true`])
      }
    }
  }

  /** The first page of a list, or the one behind it. */
  private async getPage(list: string, others: readonly string[]): Promise<AnswerCase> {
    const first = await this.get(list, others)
    const { cursor } = JSON.parse(Buffer.from(first.answer, 'base64').toString()) as { cursor: string | null }
    return cursor !== null && this.random.chance(0.5) ? this.get(`${list}&cursor=${cursor}`, others) : first
  }

  private async askExport(): Promise<AnswerCase> {
    const { random, names } = this
    const { from, to } = this.pickRange()
    const path = `/v1/export?from=${from}&to=${to}`
    const format = random.pick(['mhs', 'ndjson', 'csv'])
    if (format === 'mhs') return this.get(path)
    const bodies = [`/v1/completeness?from=${from}&to=${to}&bodies=true`]
    const whose = random.chance(0.5) ? `&address=${random.pick(names.addresses)}` : ''
    const asked = await this.get(`${path}&format=${format}${whose}`, bodies)
    // Without a row there is no byte to change; a table has its head.
    return asked.answer === '' ? this.get(`${path}&format=csv${whose}`, bodies) : asked
  }

  private askSearch(): Promise<AnswerCase> {
    const { random, names } = this
    const { period } = this.pickPeriod().summary
    const thread = random.below(THREAD_COUNT)
    const [text, path] = random.pick([
      () => askedById('blocks', random.pick(names.blocks)),
      () => askedById('operations', random.pick(names.operations)),
      () => askedById('endorsements', random.pick(names.endorsements)),
      () => [random.pick([...names.addresses, ...names.producers, ...names.endorsers]), undefined] as const,
      () => [`${period}.${thread}`, `/v1/slots/${period}/${thread}?proof=true`] as const,
      () => [String(period), `/v1/periods/${period}?proof=true`] as const,
      () => {
        const id = this.pickChunk()
        return [id, `/chunk/${id}`] as const
      },
    ])()
    return this.get(`/v1/search?q=${text}`, path === undefined ? [] : [path])
  }

  private pickChunk(): string {
    return toHex(this.random.pick(this.pickPeriod().manifest.chunks).chunkId)
  }

  private get(request: string, others: readonly string[] = []): Promise<AnswerCase> {
    return askCase(this.server, request, others, this.trusted)
  }

  private pickPeriod(): ArchivedPeriod {
    return this.random.pick(this.periods)
  }

  private pickRange(from = this.pickPeriod().summary.period): { readonly from: number; readonly to: number } {
    const last = this.periods.at(-1)?.summary.period ?? from
    return { from, to: this.random.between(from, Math.min(last, from + MAX_PERIODS - 1)) }
  }
}

/** Asks a gateway, and for what the answer is verified by. */
export async function askCase(
  server: FastifyInstance,
  request: string,
  others: readonly string[],
  trusted: KnownRoots,
): Promise<AnswerCase> {
  const answer = await fetchAnswer(server, request)
  const entries: [string, string][] = []
  for (const other of others) entries.push([other, await fetchAnswer(server, other)])
  return { request, answer, others: Object.fromEntries(entries), trusted }
}

async function fetchAnswer(server: FastifyInstance, url: string): Promise<string> {
  if (url.startsWith('/v1/stream/')) return followPeriod(server, url)
  const { statusCode, rawPayload, body } = await server.inject({ method: 'GET', url })
  assert.equal(statusCode, 200, `${url}: ${body}`)
  return rawPayload.toString('base64')
}

/** The events of the first period that a stream gives; it does not end. */
async function followPeriod(server: FastifyInstance, url: string): Promise<string> {
  const answer = await server.inject({ method: 'GET', url, payloadAsStream: true })
  const stream = answer.stream()
  let text = ''
  for await (const piece of stream) {
    text += piece
    if (text.split('\n\n').length > THREAD_COUNT + 1) break
  }
  const events = text.split('\n\n').slice(0, THREAD_COUNT + 1)
  return Buffer.from(events.map((event) => `${event}\n\n`).join('')).toString('base64')
}

/** The same, each with one bit of its answer changed; they stand behind them in one file. */
export function flipAnswers(cases: readonly AnswerCase[], random: SimRandom): AnswerCase[] {
  return cases.map(({ request, answer, trusted }, line) => {
    const bytes = Buffer.from(answer, 'base64')
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    return { request, answer: bytes.toString('base64'), others: line, trusted }
  })
}

function askedById(kind: string, id: string) {
  return [id, `/v1/${kind}/${id}?proof=true`] as const
}

function listNames(periods: readonly ArchivedPeriod[]): Names {
  const addresses = new Set<string>()
  const names = { blocks: [] as string[], operations: [] as string[], endorsements: [] as string[] }
  const [producers, endorsers] = [new Set<string>(), new Set<string>()]
  const called: Names['called'] = []
  for (const { chunks, manifest, executionResults } of periods) {
    const { executions } = parseAttestedExecutions(executionResults, manifest)
    const stacks = executions.flatMap((execution) => execution?.events.flatMap(({ callStack }) => callStack) ?? [])
    for (const address of new Set(stacks)) called.push({ address, period: manifest.period })
    for (const [thread, slot] of parseBody(concatBytes(...chunks)).slots.entries()) {
      if (slot.kind !== 'block') continue
      const { record } = slot
      names.blocks.push(formatBlockId(record.id))
      producers.add(formatAddress(computeAddress(record.publicKey)))
      for (const { publicKey } of record.header.endorsements) endorsers.add(formatAddress(computeAddress(publicKey)))
      for (const { id, publicKey, content } of record.operations) {
        names.operations.push(formatOperationId(id))
        const target = findTarget(parseOperationContent(content))
        for (const address of [computeAddress(publicKey), ...(target ? [target] : [])])
          addresses.add(formatAddress(address))
      }
      names.endorsements.push(...listEndorsements({ period: manifest.period, thread }, record.header))
    }
  }
  return {
    ...names,
    addresses: [...addresses],
    producers: [...producers],
    endorsers: [...endorsers],
    called,
  }
}

function listEndorsements(
  slot: Slot,
  {
    endorsements,
    parents,
  }: { endorsements: readonly { publicKey: Uint8Array; index: number }[]; parents: readonly Uint8Array[] },
): string[] {
  const endorsedBlock = parents[slot.thread]
  if (!endorsedBlock) return []
  return endorsements.map(({ publicKey, index }) =>
    formatEndorsementId(
      concatBytes(Uint8Array.of(0), computeEndorsementHash(publicKey, { slot, index, endorsedBlock })),
    ),
  )
}

/** What the second implementation makes of them. */
export async function verifyElsewhere(cases: readonly AnswerCase[]): Promise<AnswerResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'massa-storage-answers-'))
  try {
    const path = join(folder, 'answers.ndjson')
    await writeFile(path, cases.map((one) => `${JSON.stringify(one)}\n`).join(''))
    const script = fixturePath('test/reference/massa_archive.py')
    const run = promisify(execFile)('python3', [script, 'answers', path], { maxBuffer: 64 * 1024 * 1024 })
    // Exit code 1 says that something was refused.
    const { stdout } = await run.catch((error: { code?: unknown; stdout: string; stderr: string }) => {
      if (error.code !== 1 || error.stderr !== '') throw error
      return error
    })
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AnswerResult)
  } finally {
    await rm(folder, { recursive: true })
  }
}
