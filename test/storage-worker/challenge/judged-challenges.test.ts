import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LEAF_SIZE_BYTES } from '../../../core/index.ts'
import type { Store } from '../../../storage-worker/index.ts'
import { settle } from '../../turns.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { makePeriod, noise } from '../synthetic-period.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'
import { JudgedChain } from './judged-chain.ts'
import { MAS, makeParty, type Party, passPeriods, targetOf, walletOf, whileLooking } from './judged-party.ts'

const [ADMIN, HOLDER, ASKER, OTHER] = [0, 1, 2, 3]
/** A block without parents: of a single leaf, so that any byte is in a sampled one. */
const PERIOD = makePeriod(0, { seed: 'flip', blocks: 1, operations: 0 })
const [CHUNK = new Uint8Array()] = PERIOD.chunks
/** Of the creator of the block: bytes that stand nowhere else. */
const KEY = noise('key flip 0 0', 32)

describe('storage-worker/challenge: with the shipped contract and the model beside it', () => {
  const folders = new TempFolders()
  const holder = walletOf(HOLDER).address
  let chain: JudgedChain
  let asker: Party

  beforeEach(async () => {
    chain = new JudgedChain()
    const admin = walletOf(ADMIN).address
    chain.call(admin, 'fundRewards', {}, 50n * MAS)
    chain.call(admin, 'addChallenger', { address: walletOf(ASKER).address }, MAS)
    chain.call(holder, 'registerStorageNode', { allocatedGb: 5n }, 11n * MAS)
    asker = await makeParty(chain, ASKER, await openMemoryStore())
    passPeriods(chain, 2)
  })
  afterEach(() => folders.clean())

  /** Challenges the node once, and gives the result with what the chain says of the node then. */
  async function challenge(parties: readonly Party[]) {
    const [entry] = await whileLooking(chain, parties, asker.challenger.issue(holder, [targetOf(CHUNK)]))
    passPeriods(chain, 2)
    const node = chain.world.model.state.findNode(holder)
    assert.ok(node && entry)
    const { total, passed } = await asker.history.rateOf(holder, 'challenge')
    assert.deepEqual([BigInt(total), BigInt(passed)], [node.totalChallenges, node.passedChallenges])
    return { result: entry.result, total, passed, strikePoints: node.strikePoints, stake: node.stake }
  }

  /** Changes one byte of the chunk where it is on disk. @returns changes it back */
  function flip(dataDir: string): () => void {
    const folder = join(dataDir, 'bodies')
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.ldb'))) {
      const path = join(folder, name)
      const bytes = readFileSync(path)
      const place = bytes.indexOf(KEY)
      if (place < 0) continue
      writeFileSync(
        path,
        bytes.map((byte, i) => (i === place ? byte ^ 1 : byte)),
      )
      return () => writeFileSync(path, bytes)
    }
    assert.fail('the chunk is in no table')
  }

  it('a flipped byte in a sampled leaf on disk fails, repaired it passes; rate, strikes and stake are as the model says', async () => {
    assert.ok(CHUNK.length <= LEAF_SIZE_BYTES)
    const dataDir = await folders.make()
    let store: Store = await openTestStore(dataDir)
    await store.chunks.writePeriod(PERIOD)
    const reopen = async (): Promise<Party> => {
      store = await openTestStore(dataDir)
      return await makeParty(chain, HOLDER, store.chunks)
    }
    await store.close()
    // The next opening puts it into tables.
    await reopen()
    await store.close()
    const found = []
    let repair: (() => void) | undefined
    for (const state of ['whole', 'flipped', 'repaired']) {
      if (state === 'flipped') repair = flip(dataDir)
      else repair?.()
      found.push(await challenge([await reopen(), asker]))
      await store.close()
    }
    const stake = 10n * MAS
    assert.deepEqual(found, [
      { result: 'valid', total: 1, passed: 1, strikePoints: 0n, stake },
      { result: 'noAnswer', total: 2, passed: 1, strikePoints: 20n, stake },
      { result: 'valid', total: 3, passed: 2, strikePoints: 19n, stake },
    ])
  })

  it('without the chunk for longer it loses a tenth of its stake at the fifth strike, as the model says', async () => {
    const sidecar = await makeParty(chain, HOLDER, await openMemoryStore())
    const stakes = []
    for (let strike = 0; strike < 5; strike++) {
      stakes.push((await challenge([sidecar, asker])).stake)
      chain.leap(225)
    }
    assert.deepEqual(stakes, [10n * MAS, 10n * MAS, 10n * MAS, 10n * MAS, 9n * MAS])
  })

  it('a delay of 2 s passes; beyond the deadline it expires, judged by the issuer, and by another node while he is away', async () => {
    const store = await openMemoryStore()
    await store.writePeriod(PERIOD)
    const sidecar = await makeParty(chain, HOLDER, store)
    const other = await makeParty(chain, OTHER, store)
    // The holder has the turn before the other one, who is not registered, and his call is late, too.
    const judges = () =>
      chain.executed
        .filter(({ functionName, success }) => functionName === 'resolveExpiredChallenges' && success)
        .map(({ caller }) => caller)
    chain.delaysMs.set(holder, 2_000)
    assert.equal((await challenge([sidecar, asker, other])).result, 'valid')
    chain.delaysMs.set(holder, 62_000)
    assert.equal((await challenge([sidecar, asker, other])).result, 'noAnswer')
    assert.deepEqual(judges(), [asker.address])
    assert.equal((await challenge([sidecar, other])).result, 'noAnswer')
    const [, second] = judges()
    assert.ok(judges().length === 2 && second !== asker.address)
    const late = chain.executed.filter(({ functionName }) => functionName === 'submitProofs')
    assert.deepEqual(
      late.map(({ success }) => success),
      [true, false, false],
    )
  })

  it('one that was left open for longer than is looked back is judged all the same', async () => {
    const issuing = asker.challenger.issue(holder, [targetOf(CHUNK)])
    issuing.catch(() => undefined)
    const open = async () => (await asker.client.read('getNodeInfo', { address: holder })).openChallenges
    const isIssued = async () => {
      while ((await open()) === 0) await settle(1)
    }
    await whileLooking(chain, [], isIssued())
    // All sidecars are away, and the issuer does not look.
    chain.leap(300)
    const other = await makeParty(chain, OTHER, await openMemoryStore())
    const [entry] = await whileLooking(chain, [other], issuing)
    assert.equal(entry?.result, 'noAnswer')
    assert.equal(await open(), 0)
  })
})
