import assert from 'node:assert/strict'
import { CpuPool, type CpuWork, type DecidedSlot, encodePeriod, verifyFilledBlock } from '../../archiver/index.ts'
import { ed25519PublicKey, ed25519Sign } from '../../core/crypto-node.ts'
import { CHUNK_SIZE_BYTES, computeChunkId, concatBytes, THREAD_COUNT } from '../../core/index.ts'
import { encodeFilledBlock, type MadeBlock, makeChain } from '../../devnet/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }

type Message = { readonly jobs: readonly { readonly filledBlock: Uint8Array }[] }
type Run = (message: Message, options: object) => Promise<unknown>

describe('archiver/cpu-pool', function () {
  this.timeout(60_000)
  const small = [...makeChain({ seed: 'pool', ...NETWORK, periods: 1, endorsements: 0 }).blocks.values()]
  const missedSlots = Array.from({ length: THREAD_COUNT - 2 }, (_, i) => ({ period: 1, thread: 2 + i }))
  const full = { operationsPerBlock: 400, missedSlots }
  const large = [...makeChain({ seed: 'large', ...NETWORK, periods: 1, endorsements: 0, ...full }).blocks.values()]
  let cpu: CpuPool
  let piscina: { run: Run }
  let run: Run
  // One for all: a thread loads for longer than it works here.
  before(() => {
    cpu = new CpuPool({ threads: 2 })
    piscina = Reflect.get(cpu, 'pool')
    run = piscina.run.bind(piscina)
  })
  afterEach(() => {
    piscina.run = run
  })
  after(() => cpu.close())

  /** How many blocks each message to a thread has from now on; `dies` says for which messages the thread dies. */
  function watchMessages(dies: (message: Message) => boolean = () => false): readonly number[] {
    const sizes: number[] = []
    piscina.run = (message, options) => {
      sizes.push(message.jobs.length)
      return dies(message) ? Promise.reject(new Error('the thread died')) : run(message, options)
    }
    return sizes
  }

  function verifyAll(cpu: CpuWork, blocks: readonly MadeBlock[]) {
    return Promise.allSettled(
      blocks.map((block) =>
        cpu.verifyBlock({ filledBlock: encodeFilledBlock(block), chainId: NETWORK.chainId, expectedId: block.id }),
      ),
    )
  }

  it('a chunk comes back from its thread with its id; memory that holds much else stays here', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
    const chunkId = computeChunkId(bytes)
    const answer = Uint8Array.from([...new Uint8Array(1_024), ...bytes])
    const shared = Uint8Array.from([...new Uint8Array(1_025), ...bytes])
    for (const [memory, at, left] of [
      [answer, 1_024, 0],
      [shared, 1_025, shared.length],
    ] as const) {
      const identified = await cpu.identifyChunk(memory.subarray(at))
      assert.deepEqual(identified.chunkId, chunkId)
      assert.deepEqual(identified.chunk, bytes)
      assert.equal(memory.length, left)
    }
  })

  it('names the first of listed signatures that does not verify, however many threads look', async () => {
    const seed = new Uint8Array(32).fill(5)
    const key = concatBytes(Uint8Array.of(0), ed25519PublicKey(seed))
    const hash = new Uint8Array(32).fill(6)
    const entry = concatBytes(key, hash, Uint8Array.of(0), ed25519Sign(seed, hash))
    const list = concatBytes(...Array.from({ length: 410 }, () => entry))
    assert.equal(await cpu.findForged(list), -1)
    assert.equal(await cpu.findForged(new Uint8Array(0)), -1)
    for (const forged of [409, 207, 199]) {
      list[forged * entry.length + 100] = (entry[100] ?? 0) ^ 1
      assert.equal(await cpu.findForged(list), forged)
    }
  })

  it('small blocks that wait travel together, eight at most, and each gets what it is alone', async () => {
    const sizes = watchMessages()
    const results = await verifyAll(cpu, small)
    for (const [i, result] of results.entries()) {
      const block = small[i]
      assert.ok(block && result.status === 'fulfilled')
      assert.deepEqual(result.value, verifyFilledBlock(encodeFilledBlock(block), NETWORK.chainId, block.id))
    }
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      small.length,
    )
    assert.ok(sizes.length < small.length && Math.max(...sizes) > 1 && Math.max(...sizes) <= 8, sizes.join())
  })

  it('a large block travels alone, and small ones around it still together', async () => {
    const messages: number[][] = []
    watchMessages(({ jobs }) => {
      // Noted at once: large ones are handed over to the thread.
      messages.push(jobs.map(({ filledBlock }) => filledBlock.length))
      return false
    })
    const blocks = [...small.slice(0, 10), ...large, ...small.slice(10)]
    for (const { status } of await verifyAll(cpu, blocks)) assert.equal(status, 'fulfilled')
    const isLarge = (length: number) => length > 32_768
    assert.equal(messages.filter((lengths) => lengths.some(isLarge)).length, large.length)
    for (const lengths of messages) assert.ok(lengths.length === 1 || !lengths.some(isLarge))
    assert.ok(messages.some((lengths) => lengths.length > 1))
  })

  it('encodes a period as the function does, and leaves the memory of its blocks alone', async () => {
    const slots = Array.from({ length: THREAD_COUNT }, (_, thread): DecidedSlot => {
      const block = [...large, ...small][thread]
      if (!block || thread % 7 === 3) return { kind: 'miss' }
      return { kind: 'block', ...verifyFilledBlock(encodeFilledBlock(block), NETWORK.chainId, block.id) }
    })
    const decided = { network: NETWORK, period: 1, slots, executionResults: Uint8Array.of(1) }
    for (const chunkSizeBytes of [1024, CHUNK_SIZE_BYTES]) {
      const want = encodePeriod(decided, chunkSizeBytes)
      assert.deepEqual(await cpu.encodePeriod({ decided, chunkSizeBytes }), want)
      assert.deepEqual(encodePeriod(decided, chunkSizeBytes), want)
    }
  })

  it('error: a period whose chunks no thread can hash is refused with the reason, once', async () => {
    const slots = Array.from({ length: THREAD_COUNT }, (): DecidedSlot => ({ kind: 'miss' }))
    const decided = { network: NETWORK, period: 1, slots, executionResults: new Uint8Array(0) }
    piscina.run = () => Promise.reject(new Error('the thread died'))
    await assert.rejects(cpu.encodePeriod({ decided, chunkSizeBytes: 1024 }), /the thread died/)
  })

  it('a refused block does not touch the others of its message', async () => {
    const jobs = small.map((block, i) => ({
      filledBlock: encodeFilledBlock(block),
      chainId: NETWORK.chainId,
      expectedId: (i % 5 === 0 ? small[i + 1] : block)?.id ?? '',
    }))
    const results = await Promise.allSettled(jobs.map((job) => cpu.verifyBlock(job)))
    for (const [i, result] of results.entries()) {
      if (i % 5 !== 0) assert.equal(result.status, 'fulfilled')
      else assert.ok(result.status === 'rejected' && hasCode('ARCHIVER_BLOCK_ID_MISMATCH')(result.reason))
    }
  })

  it('a thread that dies over a message: each of its blocks is tried alone, and only the one that kills is lost', async () => {
    const victims = small.slice(0, 20)
    const killer = victims[13]
    assert.ok(killer)
    const deadly = Buffer.from(encodeFilledBlock(killer))
    const sizes = watchMessages(({ jobs }) => jobs.some(({ filledBlock }) => deadly.equals(filledBlock)))
    const results = await verifyAll(cpu, victims)
    assert.deepEqual(
      results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : [])),
      [13],
    )
    const group = results[13]
    assert.ok(group?.status === 'rejected' && /the thread died/.test(String(group.reason)))
    assert.ok(Math.max(...sizes) > 1)
    // It goes on afterwards.
    const [after] = await verifyAll(cpu, small.slice(20, 21))
    assert.equal(after?.status, 'fulfilled')
  })
})
