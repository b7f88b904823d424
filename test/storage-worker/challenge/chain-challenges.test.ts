import assert from 'node:assert/strict'
import { loadRegistryParams } from '../../../config/index.ts'
import {
  type ArchivedPeriod,
  ArchiveError,
  computeAuditDraw,
  computeChunkId,
  computeDraw,
  computeDrawChallengeId,
  parseAddress,
  type RegistryConfig,
  signText,
  toHex,
} from '../../../core/index.ts'
import { challengeCodec, challengeProofCodec } from '../../../protocol-handler/index.ts'
import { ChainChallenger } from '../../../storage-worker/challenge/chain-challenger.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import { ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { DrawSignatures } from '../../../storage-worker/challenge/draw-signatures.ts'
import { ExpiredChallenges } from '../../../storage-worker/challenge/expired-challenges.ts'
import { Prover } from '../../../storage-worker/challenge/prover.ts'
import { RegistryLog } from '../../../storage-worker/challenge/registry-log.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import { deployRegistry, openWeb3Chain, planDeployment, RegistryClient } from '../../../storage-worker/index.ts'
import { OperationJournal } from '../../../storage-worker/sending/operation-journal.ts'
import { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { type Face, GENESIS_MS, MAS, makeWallet, SteppedClock, startFace, type Wallet } from '../../devnet/node/face.ts'
import { settle, until } from '../../turns.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'

const ADMIN = makeWallet('admin')
const HOLDER = makeWallet('holder')
const ASKER = makeWallet('asker')
const NETWORK = { chainId: 77n, genesisTimestampMs: BigInt(GENESIS_MS) }
const EVERY_MS = 2_000
const PEER = 'peer of the holder'
const placement = { inForce: undefined }

describe('storage-worker/challenge: on chain, with the shipped contract', () => {
  const period = makePeriod(5, { blocks: 4, operations: 2 })
  let face: Face
  let clock: SteppedClock
  let registry: string

  before(async () => {
    clock = new SteppedClock()
    face = await startFace(clock, [ADMIN, HOLDER, ASKER])
    // Requests take no time, but whoever sleeps moves the clock.
    registry = await deploy({ challengeResponseTimeout: 600_000n })
  })
  after(() => face.close())

  async function clientOf(wallet: Wallet, address = registry): Promise<RegistryClient> {
    const chain = await openWeb3Chain(
      {
        url: face.url,
        chainId: NETWORK.chainId,
        secretKey: wallet.secret,
        feeNanoMas: 0n,
        maxFeeNanoMas: MAS,
        gasMarginPercent: 20,
        requestTimeoutMs: 10_000,
        pollIntervalMs: EVERY_MS,
      },
      clock,
    )
    return new RegistryClient(address, chain)
  }

  /** One node of 5 GB, one challenger, a pool. */
  async function deploy(changes: Partial<RegistryConfig>): Promise<string> {
    const { chain } = await clientOf(ADMIN, '')
    const plan = await planDeployment(chain, { ...loadRegistryParams(undefined), ...changes })
    const { address } = await deployRegistry(chain, plan)
    const admin = await clientOf(ADMIN, address)
    await admin.call('fundRewards', {}, { coinsNanoMas: 50n * MAS })
    await admin.call('addChallenger', { address: ASKER.address }, { coinsNanoMas: MAS })
    const holder = await clientOf(HOLDER, address)
    await holder.call('registerStorageNode', { allocatedGb: 5n }, { coinsNanoMas: 20n * MAS })
    return address
  }

  async function makeParty(wallet: Wallet, archived: readonly ArchivedPeriod[] = [], kept?: GuardedLevel) {
    const lines: string[] = []
    const destination = { write: (text: string) => lines.push(text.trimEnd()) }
    const log = createLogger({ level: 'info', format: 'human', destination })
    const index = kept ?? (await openMemoryLevel('index'))
    const sender = new RegistrySender(
      { address: wallet.address, minBalanceNanoMas: MAS },
      { client: await clientOf(wallet), journal: new OperationJournal(index), log },
    )
    const store = await openMemoryStore()
    for (const each of archived) await store.writePeriod(each)
    const registryLog = new RegistryLog(
      { network: NETWORK, everyMs: EVERY_MS, lookBackPeriods: 256 },
      { client: sender.client, clock, log },
    )
    const notes = { history: new ChallengeHistory(index), drawSignatures: new DrawSignatures(index) }
    return { wallet, log, lines, index, sender, store, registryLog, ...notes }
  }

  async function makeHolder(archived: readonly ArchivedPeriod[] = [period]) {
    const party = await makeParty(HOLDER, archived)
    const withheld = new Set<number>()
    const margins: number[] = []
    let lost = 0
    const damaged = new Set<number>()
    const { store } = party
    const proofs = new DiskProofs(HOLDER.seed, {
      store: {
        identity: store.identity,
        findChunks: (prefix, limit) => store.findChunks(prefix, limit),
        readChunk: async (of, index) => {
          if (damaged.has(index)) throw new ArchiveError('STORE_VALUE_CORRUPT', 'made')
          return store.readChunk(of, index)
        },
      },
      withheld: { has: ({ index }) => withheld.has(index) },
    })
    const prover = new ChainProver(
      EVERY_MS,
      { network: NETWORK, registry, address: HOLDER.address },
      { ...party, proofs, clock, onMargin: (seconds) => margins.push(seconds), onLost: () => lost++ },
    )
    const service = new Prover(
      { chainId: NETWORK.chainId, node: parseAddress(HOLDER.address), registry },
      { proofs, findOpen: (id) => prover.findOpen(id), onDrawn: (drawn) => void party.drawSignatures.put(drawn) },
    ).service
    return { ...party, prover, withheld, damaged, margins, service, lost: () => lost }
  }

  async function makeAsker(
    answer: (request: Uint8Array) => Promise<readonly Uint8Array[]> = async () => assert.fail('asked'),
    kept?: GuardedLevel,
  ) {
    const party = await makeParty(ASKER, [], kept)
    let connected = false
    const counted: string[] = []
    const challenger = new ChainChallenger(
      { network: NETWORK, registry, everyMs: EVERY_MS },
      {
        ...party,
        network: { request: async (_peer, _name, { bytes }) => [...(await answer(bytes))] },
        findPeer: () => (connected ? PEER : undefined),
        onOffence: () => assert.fail('an offence'),
        onIssued: (count) => counted.push(`${count} issued`),
        onEnd: ({ result }) => counted.push(result),
        clock,
      },
    )
    const expired = new ExpiredChallenges(
      EVERY_MS,
      { network: NETWORK, address: ASKER.address },
      { ...party, placement, clock },
    )
    const connect = () => {
      connected = true
    }
    return { ...party, challenger, expired, connect, counted }
  }

  type Looks = {
    readonly registryLog: RegistryLog
    readonly prover?: ChainProver
    readonly expired?: ExpiredChallenges
  }

  /** All look again and again while something is awaited; time passes with whoever sleeps. */
  async function whileLooking<T>(parties: readonly Looks[], task: Promise<T>): Promise<T> {
    let isOver = false
    const done = task.finally(() => {
      isOver = true
    })
    done.catch(() => undefined)
    while (!isOver) {
      for (const { registryLog, prover, expired } of parties) {
        await registryLog.look()
        await prover?.look()
        await expired?.look()
      }
      await clock.sleep(100)
    }
    return await done
  }

  let ids = 0
  const targets = (chunks: readonly Uint8Array[]) =>
    chunks.map((chunk) => ({ challengeId: `m-${++ids}`, chunkId: computeChunkId(chunk), nonce: 7n }))
  const nextInterval = () => clock.advance(5 * 16_000)

  it('a node that watches the chain proves an audit by one call, and is paid for it', async () => {
    const holder = await makeHolder()
    const asker = await makeAsker()
    nextInterval()
    const audit = targets(period.chunks.slice(0, 2))
    const entries = await whileLooking([holder, asker], asker.challenger.issue(HOLDER.address, audit))
    assert.deepEqual(
      entries.map(({ result, kind }) => [result, kind]),
      [
        ['valid', 'challenge'],
        ['valid', 'challenge'],
      ],
    )
    const [first] = audit
    assert.ok(first)
    const chunk = toHex(first.chunkId)
    for (const line of [
      `[INFO] Challenge issued to ${HOLDER.address} for chunk ${chunk}`,
      `[INFO] Proof received from ${HOLDER.address} - VALID`,
      `[INFO] Success rate updated: ${HOLDER.address} = 100%`,
    ]) {
      assert.ok(asker.lines.includes(line), line)
    }
    assert.deepEqual(new Set(await asker.history.list(9)), new Set(entries))
    assert.deepEqual(asker.counted, ['2 issued', 'valid', 'valid'])
    await whileLooking([holder], holder.sender.stop())
    assert.equal(holder.prover.openCount, 0)
    assert.equal(holder.lost(), 0)
    assert.equal(holder.margins.length, 2)
    assert.ok(holder.margins.every((seconds) => seconds > 0 && seconds < 600))
    const info = await asker.sender.client.read('getNodeInfo', { address: HOLDER.address })
    assert.deepEqual([info.totalChallenges, info.passedChallenges, info.openChallenges], [2n, 2n, 0])
    assert.ok(info.pendingRewards > 0n)
  })

  it('by libp2p it signs what the chain knows, and nothing else', async () => {
    const holder = await makeHolder()
    const answers: string[] = []
    const asker = await makeAsker(async (bytes) => {
      const frames = await holder.service.answer(challengeCodec.decode(bytes), 'asker', () => {})
      answers.push(challengeProofCodec.decode(frames[0] ?? new Uint8Array()).status)
      return frames
    })
    asker.connect()
    nextInterval()
    const { signature: drawSignature } = signText(ASKER.seed, 'the text of a draw')
    const challengeId = computeDrawChallengeId(computeAuditDraw(computeDraw(drawSignature.subarray(1)), 0))
    const [made] = targets(period.chunks.slice(0, 1))
    assert.ok(made)
    const target = { ...made, challengeId, drawSignature }
    const ask = async (change: object) => {
      const node = parseAddress(HOLDER.address)
      const message = {
        kind: 'challenge',
        node,
        issuedPeriod: 1,
        ...target,
        ...change,
      } as const
      const [frame] = await holder.service.answer(message, 'asker', () => {})
      return challengeProofCodec.decode(frame ?? new Uint8Array()).status
    }
    assert.equal(await ask({}), 'refused')
    assert.equal(await holder.drawSignatures.find(challengeId), undefined)
    const [entry] = await whileLooking([asker], whileOpen(holder, asker.challenger.issue(HOLDER.address, [target])))
    assert.equal(entry?.result, 'valid')
    assert.deepEqual(answers, ['ok'])
    // Both keep what it was drawn by, for whoever audits draws.
    for (const { drawSignatures } of [asker, holder])
      assert.deepEqual(await drawSignatures.find(challengeId), drawSignature)
    const { issuedPeriod } = await asker.sender.client.read('getChallenge', target)
    const known = { issuedPeriod: Number(issuedPeriod) }
    // It is over: shown again it could be of use to nobody but who means harm.
    assert.equal(await ask(known), 'refused')
    assert.equal(await ask({ ...known, nonce: 8n }), 'refused')
  })

  /** The holder looks at the chain after it was asked: what it answers is not what it has seen before. */
  async function whileOpen<T>(holder: Looks, task: Promise<T>): Promise<T> {
    return await whileLooking([holder], task)
  }

  it('a chunk that is not there expires, the issuer has it judged, and with the chunk back it passes again', async () => {
    const holder = await makeHolder()
    const asker = await makeAsker()
    holder.withheld.add(0)
    nextInterval()
    const [lost] = await whileLooking(
      [holder, asker],
      asker.challenger.issue(HOLDER.address, targets([period.chunks[0] ?? assert.fail()])),
    )
    assert.deepEqual([lost?.result, lost?.reason], ['noAnswer', 'no proof in time'])
    assert.ok(asker.lines.some((line) => line.startsWith('[WARN] no proof received')))
    await holder.registryLog.look()
    assert.equal(holder.lost(), 1)
    assert.ok(holder.lines.some((line) => line.includes('challenged for a chunk that is not held here')))
    holder.withheld.clear()
    nextInterval()
    const [entry] = await whileLooking(
      [holder, asker],
      asker.challenger.issue(HOLDER.address, targets([period.chunks[0] ?? assert.fail()])),
    )
    assert.equal(entry?.result, 'valid')
    const info = await asker.sender.client.read('getNodeInfo', { address: HOLDER.address })
    assert.equal(info.strikePoints, 19)
  })

  it('by hand it waits for an audit of the node that is open, as long as it is told', async () => {
    const holder = await makeHolder()
    const asker = await makeAsker()
    nextInterval()
    const [chunk] = period.chunks
    assert.ok(chunk)
    const [first, second] = [targets([chunk]), targets([chunk])]
    const open = asker.challenger.issue(HOLDER.address, first)
    await whileLooking(
      [asker],
      waitUntil(async () => (await asker.history.listOpen()).length === 1),
    )
    const patient = asker.challenger.issueWhenFree(HOLDER.address, second, 600_000)
    await assert.rejects(whileLooking([asker], asker.challenger.issueWhenFree(HOLDER.address, targets([chunk]), 0)), {
      code: 'REGISTRY_AUDIT_OPEN',
    })
    const entries = (await whileLooking([holder, asker], Promise.all([open, patient]))).flat()
    assert.deepEqual(
      entries.map(({ result }) => result),
      ['valid', 'valid'],
    )
  })

  it('fault: one damaged chunk costs its own challenge, not the others of the audit', async () => {
    const holder = await makeHolder()
    const asker = await makeAsker()
    holder.damaged.add(0)
    nextInterval()
    const audit = targets(period.chunks.slice(0, 2))
    const entries = await whileLooking([holder, asker], asker.challenger.issue(HOLDER.address, audit))
    assert.deepEqual(
      entries.map(({ result }) => result),
      ['noAnswer', 'valid'],
    )
    assert.ok(holder.lines.some((line) => line.includes('challenged for a chunk that is not held here')))
  })

  it('crash: what was issued before a restart is closed after it, by whoever is there', async () => {
    const holder = await makeHolder([])
    const asker = await makeAsker()
    nextInterval()
    const cut = asker.challenger.issue(HOLDER.address, targets([period.chunks[0] ?? assert.fail()]))
    cut.catch(() => undefined)
    await whileLooking(
      [asker],
      waitUntil(async () => (await asker.history.listOpen()).length === 1),
    )
    asker.challenger.stop()
    await assert.rejects(cut, { code: 'CHAIN_OUTCOME_UNKNOWN' })
    await asker.sender.stop()
    const again = new ChainChallenger(
      { network: NETWORK, registry, everyMs: EVERY_MS },
      {
        ...asker,
        network: { request: async () => assert.fail('asked') },
        findPeer: () => undefined,
        onOffence: () => assert.fail('an offence'),
        clock,
      },
    )
    // The issuer is away for long: another node has it judged in its turn.
    const other = new ExpiredChallenges(
      EVERY_MS,
      { network: NETWORK, address: HOLDER.address },
      { ...holder, placement, clock },
    )
    await whileLooking([{ registryLog: holder.registryLog, expired: other }], again.resume())
    assert.deepEqual(await asker.history.listOpen(), [])
    const [entry] = await asker.history.list(1)
    assert.equal(entry?.result, 'noAnswer')
  })

  it('crash: what was only just sent is in the history after a restart, once, with its end', async () => {
    const holder = await makeHolder()
    const asker = await makeAsker()
    nextInterval()
    const audit = targets(period.chunks.slice(0, 2)).map((target) => ({ ...target, drawSignature: new Uint8Array(65) }))
    const cut = asker.challenger.issue(HOLDER.address, audit)
    cut.catch(() => undefined)
    const journal = new OperationJournal(asker.index)
    while ((await journal.list()).length === 0) await settle(1)
    asker.challenger.stop()
    await asker.sender.stop()
    const later = await makeAsker(undefined, asker.index)
    await later.sender.resume()
    const resuming = later.challenger.resume()
    // The timer draws the same period once more.
    await assert.rejects(later.challenger.issue(HOLDER.address, audit), { code: 'REGISTRY_CHALLENGE_EXISTS' })
    await whileLooking([holder, later], resuming)
    const entries = await later.history.list(9)
    assert.deepEqual(
      entries.map(({ challengeId, result, drawSignature }) => [challengeId, result, drawSignature]).sort(),
      audit.map(({ challengeId }) => [challengeId, 'valid', '00'.repeat(65)]),
    )
  })

  it('crash: what never left is void after a restart, and what may still come into a block is waited for', async () => {
    const asker = await makeAsker()
    const [gone, sent] = targets(period.chunks.slice(0, 2)).map(({ challengeId, chunkId }) => ({
      ...({ challengeId, kind: 'challenge', node: HOLDER.address, chunkId: toHex(chunkId), nonce: '7' } as const),
      ...({ issuedAtMs: clock.nowMs(), durationMs: 0, result: 'open', reason: '' } as const),
    }))
    assert.ok(gone && sent)
    await asker.history.append(gone)
    await asker.history.append(sent)
    const underWay = [`challenge ${sent.challengeId}`]
    let looks = 0
    const read = async () => {
      looks++
      throw new ArchiveError('REGISTRY_CHALLENGE_UNKNOWN', 'made')
    }
    const client = { read } as unknown as RegistryClient
    const sender = { client, send: () => assert.fail(), listUnderWay: () => underWay }
    const challenger = new ChainChallenger(
      { network: NETWORK, registry, everyMs: EVERY_MS },
      {
        ...asker,
        sender,
        network: { request: () => assert.fail() },
        findPeer: () => undefined,
        onOffence: () => assert.fail(),
        clock,
      },
    )
    const resuming = challenger.resume()
    await until(() => looks === 500)
    assert.deepEqual(await asker.history.listOpen(), [sent])
    underWay.pop()
    await resuming
    assert.deepEqual(
      (await asker.history.list(2)).map(({ result }) => result),
      ['void', 'void'],
    )
  })

  it('error: whom the registry does not let challenge is told why, and nothing is in the history', async () => {
    const holder = await makeHolder()
    const stranger = await makeParty(HOLDER)
    const challenger = new ChainChallenger(
      { network: NETWORK, registry, everyMs: EVERY_MS },
      {
        ...stranger,
        network: { request: async () => assert.fail('asked') },
        findPeer: () => undefined,
        onOffence: () => assert.fail('an offence'),
        clock,
      },
    )
    const issuing = challenger.issue(ASKER.address, targets([period.chunks[0] ?? assert.fail()]))
    await assert.rejects(whileLooking([holder], issuing), { code: 'REGISTRY_NOT_CHALLENGER' })
    assert.deepEqual(await stranger.history.list(1), [])
  })

  async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue())) await clock.sleep(100)
  }
})
