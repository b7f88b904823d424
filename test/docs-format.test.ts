import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  attestExecutions,
  type DecidedSlot,
  encodeExecution,
  encodePeriod,
  verifyFilledBlock,
} from '../archiver/index.ts'
import { joinFilledBlock } from '../archiver/verify-block.ts'
import { findPackageRoot } from '../config/index.ts'
import {
  ArchiveFileBuilder,
  type BlockSeals,
  buildBlockProof,
  buildCompleteness,
  buildRangeProof,
  computeAttestationText,
  computeBitmap,
  computeChallengeSeed,
  computeChunkId,
  computeChunkLeafHashes,
  computeEraRoot,
  computeGenesisBlock,
  computeHashSlot,
  computeOperationId,
  computePeriodRoot,
  computePlacementRoot,
  computeProofText,
  computeSampleIndex,
  computeScores,
  computeStorageProof,
  computeTreePath,
  computeTreeRoot,
  concatBytes,
  cutChunks,
  encodeBlockRecord,
  encodeBody,
  encodeManifest,
  encodeOperationContent,
  encodeSeals,
  formatBlockId,
  formatOperationId,
  fromBase64,
  HASH_SLOTS,
  type Network,
  type ProofSource,
  parseAddress,
  parsePublicKey,
  signGenesisBlock,
  slotIndex,
  THREAD_COUNT,
  TRAILER_BYTES,
  toHex,
  verifyProof,
  verifyStorageProof,
} from '../core/index.ts'
import { type Recording, readRecording } from '../devnet/index.ts'

const NETWORK: Network = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }
const PERIOD = 0
const PAGE = join(findPackageRoot(), 'docs', 'FORMAT.md')
const NODE = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'

/** The golden rows of the page: period, blocks, operations, BODY bytes, chunk id, period root. */
function readGoldenRows(): string[][] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(
    /^\| (\d+) \| (\d+) \| (\d+) \| ([\d,]+) \| `(\w{64})` \| `(\w{64})` \|$/gm,
  )
  return [...rows].map((row) => row.slice(1))
}

/** A period of the recording as the archiver encodes it. */
function computeGoldenRow(recording: Recording, period: number): string[] {
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread): DecidedSlot => {
    const id = recording.finals.get(slotIndex({ period, thread }))
    const block = id === undefined ? undefined : recording.blocks.get(id)
    if (!block) return { kind: 'miss' }
    const operations = block.operationIds.map((operationId) => ({
      operationId,
      operation: recording.operations.get(operationId),
    }))
    return {
      kind: 'block',
      ...verifyFilledBlock(joinFilledBlock(block.headerMessage, operations), recording.chainId, id),
    }
  })
  const network = { chainId: recording.chainId, genesisTimestampMs: recording.genesisTimestampMs }
  const executionResults = attestExecutions(new Map(), { network, period: 0 })
  const { manifest, summary } = encodePeriod({ network, period, slots, executionResults }, 1_048_576)
  const numbers = [period, summary.blocks, summary.operations].map(String)
  const chunkIds = manifest.chunks.map(({ chunkId }) => toHex(chunkId)).join(' ')
  return [...numbers, summary.bodyBytes.toLocaleString('en-US'), chunkIds, toHex(summary.root)]
}

/** Every `name: value` line of the page's `example` blocks. */
function readExamples(): Map<string, string> {
  const examples = new Map<string, string>()
  for (const [, block] of readFileSync(PAGE, 'utf8').matchAll(/^```example\n(.*?)^```$/gms)) {
    for (const line of (block ?? '').trim().split('\n')) {
      const colon = line.indexOf(': ')
      const name = line.slice(0, colon)
      assert.ok(colon > 0, `no example: ${line}`)
      assert.ok(!examples.has(name), `twice on the page: ${name}`)
      examples.set(name, line.slice(colon + 2))
    }
  }
  return examples
}

/** The block of thread 0 of period 0, in an era of 128 periods like it. */
async function computeProofExamples(): Promise<Map<string, string>> {
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => computeGenesisBlock({ period: PERIOD, thread }))
  const record = slots.map(({ publicKey, content }) =>
    encodeBlockRecord({ publicKey, headerContent: content, operationIds: [], operations: [] }),
  )
  const body = encodeBody(
    NETWORK,
    PERIOD,
    record.map((one) => ({ kind: 'block', record: one })),
  )
  const seals = slots.map((genesis, thread) => signGenesisBlock(genesis, { period: PERIOD, thread }).subarray(1))
  const chunks = [{ byteLength: body.length, chunkId: computeChunkId(body) }]
  const manifest = { network: NETWORK, period: PERIOD, bitmap: 0xffff_ffff, chunks }
  const periodRoots = new Array<Uint8Array>(128).fill(computePeriodRoot(manifest))
  const source: ProofSource = {
    readManifest: async () => manifest,
    readChunk: async () => body,
    readSeals: async () => encodeSeals(NETWORK, PERIOD, seals),
    readEra: async () => ({ totalBytes: BigInt(body.length) * 128n, totalChunks: 128n, periodRoots }),
  }
  const slot = { period: PERIOD, thread: 0 }
  const proof = await buildBlockProof(source, slot)
  const text = JSON.stringify(proof)
  const certificate = await buildCompleteness(source, { from: PERIOD, to: PERIOD })
  const range = await buildRangeProof(source, { from: PERIOD, to: PERIOD })
  const { era } = verifyProof(text, { kind: 'block-at', slot })
  const { checks } = verifyProof(text, { kind: 'block-at', slot }, { network: NETWORK, findEraRoot: () => era?.root })
  return new Map([
    ['proof of block 0, siblings', proof.chunks[0]?.siblings.join(' ') ?? ''],
    ['proof of block 0, path to the era, last hash', proof.era?.path.at(-1) ?? ''],
    ['proof of block 0, era root', toHex(era?.root ?? new Uint8Array(0))],
    ['proof of block 0, checks', checks.map(({ name }) => name).join(' ')],
    ['proof of block 0, characters', String(text.length)],
    ['proof of block 0, SHA-256 of the text', sha256Hex(text)],
    ['certificate of period 0, its 40 bytes', toHex(fromBase64(certificate.periods))],
    ['certificate of period 0, siblings', String(certificate.eras[0]?.siblings.length)],
    ['certificate of period 0, SHA-256 of the text', sha256Hex(JSON.stringify(certificate))],
    ['range of period 0, SHA-256 of the text', sha256Hex(JSON.stringify(range))],
  ])
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Period 0 of a network: 32 genesis blocks, so that everything follows from constants. */
function computeExamples(): Map<string, string> {
  const examples = new Map<string, string | number>()
  const records: Uint8Array[] = []
  const seals: BlockSeals[] = []
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const slot = { period: PERIOD, thread }
    const genesis = computeGenesisBlock(slot)
    records.push(
      encodeBlockRecord({
        publicKey: genesis.publicKey,
        headerContent: genesis.content,
        operationIds: [],
        operations: [],
      }),
    )
    seals.push(signGenesisBlock(genesis, slot).subarray(1))
  }
  const slots = records.map((record) => ({ kind: 'block' as const, record }))
  const body = encodeBody(NETWORK, PERIOD, slots)
  const sealBytes = encodeSeals(NETWORK, PERIOD, seals)
  examples.set('body head', toHex(body.subarray(0, 26)))
  for (const thread of [0, 1, 31]) {
    const start = 26 + thread * ((body.length - 26) / THREAD_COUNT)
    examples.set(`body thread ${thread}`, toHex(body.subarray(start, start + (body.length - 26) / THREAD_COUNT)))
    examples.set(`block id ${thread}`, formatBlockId(computeGenesisBlock({ period: PERIOD, thread }).id))
  }
  examples.set('body bytes', body.length)
  examples.set('seals head', toHex(sealBytes.subarray(0, 25)))
  examples.set('seals thread 0', toHex(sealBytes.subarray(25, 89)))
  examples.set('seals bytes', sealBytes.length)

  const [chunk] = cutChunks(body, 1_048_576)
  assert(chunk)
  const leafHashes = computeChunkLeafHashes(chunk)
  for (const [i, hash] of leafHashes.entries()) examples.set(`leaf hash ${i}`, toHex(hash))
  examples.set('tree root', toHex(computeTreeRoot(leafHashes)))
  for (const i of [1, 2]) examples.set(`path of leaf ${i}`, computeTreePath(leafHashes, i).map(toHex).join(' '))
  const chunkId = computeChunkId(chunk)
  examples.set('chunk id', toHex(chunkId))
  const bitmap = computeBitmap(slots)
  const manifest = { network: NETWORK, period: PERIOD, bitmap, chunks: [{ byteLength: chunk.length, chunkId }] }
  examples.set('manifest', toHex(encodeManifest(manifest)))
  const periodRoot = computePeriodRoot(manifest)
  examples.set('period root', toHex(periodRoot))
  const totals = { network: NETWORK, era: 0, totalBytes: BigInt(body.length) * 128n, totalChunks: 128n }
  const eraRoot = computeEraRoot(totals, new Array<Uint8Array>(128).fill(periodRoot))
  examples.set('era root of 128 such roots', toHex(eraRoot))

  const seed = computeChallengeSeed({
    chainId: NETWORK.chainId,
    contract: 'AS1',
    challengeId: 'm-1',
    nodeAddress: NODE,
    chunkId,
    nonce: 7n,
    issuedPeriod: 40,
  })
  const proof = computeStorageProof(chunk, { seed, samples: 2 })
  verifyStorageProof(proof, chunkId, { seed, samples: 2 })
  examples.set('seed', toHex(seed))
  examples.set('sample leaves', [0, 1].map((i) => computeSampleIndex(seed, i, leafHashes.length)).join(' '))
  examples.set('proof bytes', proof.length)
  examples.set('proof head', toHex(proof.subarray(0, 36)))
  examples.set('proof text', computeProofText(seed, proof))

  const content = encodeOperationContent({
    feeNanoMas: 10_000_000n,
    expirePeriod: 15n,
    body: { kind: 'transaction', recipient: parseAddress(NODE), amountNanoMas: 1_000_000_000n },
  })
  const publicKey = parsePublicKey('P12rNx7iyMpAbWx2VzGNZSE5wGDrHWUiwFVAnAuGrrKpMnfrQrH6')
  const operationId = computeOperationId(NETWORK.chainId, publicKey, content)
  examples.set('operation content', toHex(content))
  examples.set('operation id', formatOperationId(operationId))
  const record = encodeBlockRecord({
    ...computeGenesisRecordHead(),
    operationIds: [],
    operations: [{ id: operationId, publicKey, content, reproducible: true }],
  })
  examples.set('operation in BODY', toHex(record.subarray(record.length - 2 - publicKey.length - content.length)))

  const execution = encodeExecution({
    source: 'stream',
    complete: true,
    trailHash: '',
    outcomes: [{ operationId: formatOperationId(operationId), outcome: 'success' }],
    events: [
      { indexInSlot: 0, callStack: [NODE], operationId: '', failed: false, data: new TextEncoder().encode('hello') },
    ],
  })
  examples.set('execution of a slot', toHex(execution))
  const nothing = attestExecutions(new Map(), { network: NETWORK, period: 0 })
  examples.set('execution results of an empty period, unsigned, bytes', nothing.length)
  examples.set(
    'attestation text of period 0 without results',
    computeAttestationText({ network: NETWORK, period: 0 }, nothing.subarray(0, -1)),
  )

  const builder = new ArchiveFileBuilder({ network: NETWORK, chunkSizeBytes: 1_048_576, first: PERIOD, last: PERIOD })
  examples.set('file identity', toHex(concatBytes(...builder.begin())))
  const section = builder.addPeriod({ manifest, chunks: [chunk], seals: sealBytes, executionResults: nothing })
  examples.set('file period bytes', concatBytes(...section).length)
  const end = builder.end()
  const ending = concatBytes(...end.parts)
  examples.set('file root', toHex(end.root))
  examples.set('file index', toHex(ending.subarray(0, -TRAILER_BYTES)))
  examples.set('file trailer', toHex(ending.subarray(-TRAILER_BYTES)))
  examples.set('file bytes', end.fileBytes)

  examples.set('hash slot', computeHashSlot(chunkId))
  const scores = computeScores(NODE, 100n)
  for (const hashSlot of [0, 1, 16_383])
    examples.set(`score in hash slot ${hashSlot}`, doubleHex(scores[hashSlot] ?? 0))
  const nobody = Array.from({ length: HASH_SLOTS }, () => [])
  examples.set('placement root without holders', toHex(computePlacementRoot(NETWORK, 1, nobody)))
  return new Map([...examples].map(([name, value]) => [name, String(value)]))
}

function computeGenesisRecordHead() {
  const { publicKey, content } = computeGenesisBlock({ period: PERIOD, thread: 0 })
  return { publicKey, headerContent: content }
}

function doubleHex(value: number): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return toHex(bytes)
}

describe('docs/FORMAT.md', () => {
  it('shows exactly the values that the code computes', async () => {
    const computed = [...computeExamples(), ...(await computeProofExamples())]
    assert.deepEqual(Object.fromEntries(readExamples()), Object.fromEntries(computed))
  })

  it('gives BODY of its example whole: head, then one template per thread', () => {
    const examples = readExamples()
    const template = examples.get('body thread 0') ?? ''
    const threads = Array.from({ length: THREAD_COUNT }, (_, thread) =>
      template.replace('00300000', `003000${thread.toString(16).padStart(2, '0')}`),
    )
    const body = Buffer.from((examples.get('body head') ?? '') + threads.join(''), 'hex')
    assert.equal(toHex(computeChunkId(body)), examples.get('chunk id'))
  })

  it('shows the roots of two periods of the recording that `replay` plays', async () => {
    const recording = await readRecording(join(findPackageRoot(), 'devnet', 'recordings', 'sandbox.ndjson.gz'))
    assert.deepEqual(
      readGoldenRows(),
      [13, 40].map((period) => computeGoldenRow(recording, period)),
    )
  })
})
