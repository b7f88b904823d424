import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { verifyFilledBlock } from '../../../../archiver/verify-block.ts'
import {
  computeAddress,
  computeGenesisBlock,
  formatAddress,
  formatBlockId,
  headerFromProtobuf,
  headerToProtobuf,
  NewFilledBlocksResponseCodec,
  operationFromProtobuf,
  operationToProtobuf,
  RawFilledBlockCodec,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  slotIndex,
  THREAD_COUNT,
  toU64,
} from '../../../../core/index.ts'
import type { ChainBlock, DevnetChain } from '../../../../devnet/node/index.ts'
import { fixturePath } from '../../fixture.ts'
import { ChainRecording } from './chain-recording.ts'
import { ALICE, BOB, CHAIN_ID, indexOf, openChain, pass, reach, send, transfer } from './made-chain.ts'

const RECORDING = new URL('../../../../devnet/recordings/sandbox.ndjson.gz', import.meta.url)
const hasPython = spawnSync('python3', ['--version']).status === 0

/** Every kind of operation, misses and rivals. */
async function makeBusyChain(): Promise<{ chain: DevnetChain; blocks: ChainBlock[]; recording: ChainRecording }> {
  const chain = openChain({ missRate: 0.1, orphanRate: 0.2, deltaF0: 200 })
  const recording = new ChainRecording(chain)
  const blocks: ChainBlock[] = []
  chain.onBlockReceived((block) => blocks.push(block))
  const unsorted = [2, 1].map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(key) }))
  for (const sender of [ALICE, BOB]) {
    send(chain, sender, transfer(1n))
    send(chain, sender, { kind: 'roll-buy', rollCount: 2n })
    send(chain, sender, { kind: 'roll-sell', rollCount: 1n })
    const execute = {
      kind: 'execute-sc',
      maxGas: 10_000_000n,
      maxCoinsNanoMas: 0n,
      bytecode: Uint8Array.of(0),
    } as const
    send(chain, sender, { ...execute, datastore: unsorted.toReversed() })
    send(chain, sender, { ...execute, datastore: unsorted })
    const target = Uint8Array.from(sender.key.address)
    target[0] = 1
    const call = { kind: 'call-sc', maxGas: 3_000_000n, coinsNanoMas: 0n, functionName: 'f', target } as const
    send(chain, sender, { ...call, parameter: Uint8Array.of(1) })
  }
  await pass(chain, 6 * THREAD_COUNT)
  return { chain, blocks, recording }
}

describe('devnet/node/chain: blocks', () => {
  let chain: DevnetChain
  let blocks: ChainBlock[]
  let recording: ChainRecording

  before(async () => {
    const busy = await makeBusyChain()
    chain = busy.chain
    blocks = busy.blocks
    recording = busy.recording
  })

  it('every block passes the archiver, rivals too, with 16 endorsements that verify', () => {
    for (const block of blocks) {
      const verified = verifyFilledBlock(block.encodeFilled(), CHAIN_ID, block.id)
      assert.equal(verified.badEndorsements, 0)
      assert.equal(block.header.endorsements.length, block.isRival ? 15 : 16)
    }
    const unverified = blocks.filter(({ isRival }) => !isRival).flatMap(({ operations }) => operations)
    assert.equal(unverified.length, 12)
    assert(blocks.some(({ isRival }) => isRival))
  })

  it('an operation whose datastore was not sorted is shown sorted, under its own id', () => {
    const counts = blocks
      .filter(({ isRival }) => !isRival)
      .map((block) => verifyFilledBlock(block.encodeFilled(), CHAIN_ID, block.id).unverifiedBodies)
    const shown = blocks.flatMap(({ operations }) => operations).map(({ operation }) => operation.body)
    for (const body of shown) {
      if (body.kind === 'execute-sc')
        assert.deepEqual(
          body.datastore.map(({ key }) => key[0]),
          [1, 2],
        )
    }
    // The archiver tries the orders of two keys and finds the one that was signed.
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      0,
    )
  })

  it('parents are the newest block of every thread, from the genesis blocks on', () => {
    const newest = Array.from({ length: THREAD_COUNT }, (_, thread) =>
      formatBlockId(computeGenesisBlock({ period: 0, thread }).id),
    )
    for (const block of blocks) {
      if (block.isRival) {
        assert.equal(newest[block.slot.thread] === block.id, false)
        continue
      }
      assert.deepEqual(block.header.parents.map(formatBlockId), newest)
      newest[block.slot.thread] = block.id
    }
  })

  it('who signed a block and its rival is denounced in the next block, as on a real chain', () => {
    const winners = blocks.filter(({ isRival }) => !isRival)
    for (const [i, block] of winners.entries()) {
      const before = winners[i - 1]
      const rival = blocks.find(({ isRival, slotIndex: index }) => isRival && index === before?.slotIndex)
      const expected = before && rival ? [[before.slot, before.id, rival.id]] : []
      const said = block.header.denunciations.map(({ slot, hash1, hash2 }) => [
        slot,
        ...[hash1, hash2].map((hash) => formatBlockId(Uint8Array.of(0, ...hash))),
      ])
      assert.deepEqual(said, expected)
    }
    const denounced = winners.flatMap(({ header }) => header.denunciations).length
    const left = chain.listStakers().reduce((sum, { rolls }) => sum + rolls, 0n)
    const executed = winners.filter(({ slotIndex: index }) => index <= slotIndex(chain.executedSlot))
    const slashed = executed.flatMap(({ header }) => header.denunciations).length
    assert(denounced > 10 && slashed > 10)
    // Two senders bought two rolls each and sold one.
    assert.equal(left, 1600n + 2n - BigInt(slashed))
  })

  it('blocks and endorsements are signed by those who were drawn', () => {
    for (const block of blocks) {
      assert.equal(block.creator, chain.producerOf(block.slotIndex))
      const drawn = chain.drawOf(block.slotIndex).endorsers
      for (const { publicKey, index } of block.header.endorsements) {
        assert.equal(formatAddress(computeAddress(publicKey)), drawn[index])
      }
    }
    const producers = new Set(blocks.map(({ creator }) => creator))
    assert(producers.size > 10)
  })

  it('a header has the fields of a real one: each recorded message is made again byte for byte', () => {
    const counts = { headers: 0, operations: 0 }
    for (const line of gunzipSync(readFileSync(RECORDING)).toString('utf8').trim().split('\n')) {
      const { stream, msg } = JSON.parse(line) as { stream?: string; msg?: string }
      if (stream !== 'NewFilledBlocksServer' || msg === undefined) continue
      const { filledBlock } = NewFilledBlocksResponseCodec.decode(Buffer.from(msg, 'base64'))
      const { header, operations = [] } = RawFilledBlockCodec.decode(filledBlock ?? new Uint8Array())
      assert(header)
      counts.headers++
      assert(Buffer.from(encodeAgain(header)).equals(header))
      for (const { operation, operationId } of operations) {
        assert(operation && operationId)
        const signed = operationFromProtobuf(SignedOperationCodec.decode(operation))
        const again = SignedOperationCodec.encode({
          ...operationToProtobuf(CHAIN_ID, signed),
          secureHash: operationId,
          serializedSize: toU64(BigInt(signed.serializedSizeBytes)),
        })
        assert(Buffer.from(again).equals(operation))
        counts.operations++
      }
    }
    assert(counts.headers > 1000 && counts.operations > 1000)
    for (const block of blocks) assert(Buffer.from(encodeAgain(block.headerMessage)).equals(block.headerMessage))
    const { content } = SignedBlockHeaderCodec.decode(blocks[0]?.headerMessage ?? new Uint8Array())
    assert.equal(content?.announcedVersion ?? undefined, undefined)
  })

  const title = 'the second implementation accepts them: every signature, every final slot, every miss'
  it(hasPython ? title : `${title} (skipped: there is no python3)`, async function () {
    if (!hasPython) return this.skip()
    this.timeout(120_000)
    const folder = mkdtempSync(join(tmpdir(), 'massa-storage-chain-'))
    try {
      const path = join(folder, 'chain.ndjson')
      writeFileSync(path, recording.toText())
      const script = fixturePath('test/reference/massa_archive.py')
      const { stdout } = await promisify(execFile)(
        'python3',
        [script, 'roots', path, '--signatures', 'all', '--json'],
        {
          maxBuffer: 64 * 1024 * 1024,
        },
      )
      const found = JSON.parse(stdout) as Record<string, number> & { refused: string[]; periods: { blocks: number }[] }
      assert.deepEqual(found.refused, [])
      assert.equal(found.badEndorsementSignatures, 0)
      assert.equal(found.blocksHeld, blocks.length)
      assert.equal(found.operationsHeld, 12)
      const final = blocks.filter(({ slotIndex: index, isRival }) => !isRival && chain.isFinal(index))
      assert((found.finalBlocks ?? 0) >= final.length)
      assert.equal(found.badDenunciationSignatures, 0)
      const signatures = blocks.reduce(
        (sum, { header }) => sum + 1 + header.endorsements.length + 2 * header.denunciations.length,
        0,
      )
      assert.equal(found.signatures, signatures + 12)
      for (const [period, { blocks: held }] of found.periods.entries()) {
        const made = blocks.filter(({ slot, isRival }) => !isRival && slot.period === period).length
        assert.equal(held, period === 0 ? THREAD_COUNT : made)
      }
      assert(found.periods.length >= 4)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('genesis blocks are those of every Massa network, final, and in storage at first', () => {
    const fresh = openChain()
    const genesis = fresh.listBlocks(0, THREAD_COUNT)
    assert.equal(genesis.length, THREAD_COUNT)
    for (const block of genesis) {
      assert.equal(fresh.blockStatus(block), 2)
      verifyFilledBlock(block.encodeFilled(), CHAIN_ID, block.id)
    }
    assert.equal(genesis[0]?.id, 'B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu')
  })
})

describe('devnet/node/chain: what blocks depend on', () => {
  /** Ids of all blocks, with the same operations each time. */
  async function makeIds(
    seed: string,
    tell: (chain: DevnetChain, index: number) => void = () => {},
  ): Promise<string[]> {
    const chain = openChain({ seed, missRate: 0.2, orphanRate: 0.2, endorsements: 3 })
    const ids: string[] = []
    chain.onBlockReceived(({ id }) => ids.push(id))
    for (let index = indexOf(chain) + 1; index < 5 * THREAD_COUNT; index++) {
      if (index % 7 === 0) send(chain, ALICE, transfer(BigInt(index)), { expirePeriod: 9 })
      tell(chain, index)
      await reach(chain, index)
    }
    return ids
  }

  it('the same seed, operations and orders make the same bytes, another seed others', async () => {
    const tell = (chain: DevnetChain, index: number) => {
      if (index === 70) chain.missNext(9, 2)
      if (index === 80) chain.forkNext(2)
    }
    const first = await makeIds('a', tell)
    assert.deepEqual(await makeIds('a', tell), first)
    assert.notDeepEqual(await makeIds('a'), first)
    const other = await makeIds('b')
    assert.deepEqual(
      other.filter((id) => first.includes(id)),
      [],
    )
  })

  it('one long step makes what many short ones make', async () => {
    const ids = async (steps: number) => {
      const chain = openChain({ missRate: 0.1, endorsements: 2 })
      for (let i = 1; i <= steps; i++) await chain.advanceTo(chain.genesisTimestampMs + (i * 80_000) / steps)
      return chain.listBlocks(0, Number.POSITIVE_INFINITY).map(({ id }) => id)
    }
    assert.deepEqual(await ids(1), await ids(333))
  })

  it('slots are missed at the rate and by order, the thread going on after them', async () => {
    const chain = openChain({ endorsements: 0 })
    chain.missNext(5, 2)
    chain.missNext(6)
    await pass(chain, 4 * THREAD_COUNT)
    const missed = (thread: number) =>
      [1, 2, 3, 4].filter((period) => chain.findCliqueBlock(slotIndex({ period, thread })) === undefined)
    assert.deepEqual([missed(5), missed(6), missed(7)], [[1, 2], [1], []])
    chain.setRates({ missRate: 0.5 })
    await pass(chain, 10 * THREAD_COUNT)
    const made = chain.listGraph(5 * THREAD_COUNT, 15 * THREAD_COUNT).length
    assert(made > 110 && made < 210, `${made} of 320`)
  })
})

function encodeAgain(header: Uint8Array): Uint8Array {
  return SignedBlockHeaderCodec.encode(headerToProtobuf(headerFromProtobuf(SignedBlockHeaderCodec.decode(header))))
}
