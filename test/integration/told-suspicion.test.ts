import assert from 'node:assert/strict'
import { parseAddress } from '../../core/index.ts'
import { type StreamService, type SuspicionRequest, suspicionResponseCodec } from '../../protocol-handler/index.ts'
import { ChallengeTimer } from '../../storage-worker/challenge/challenge-timer.ts'
import { SuspicionHints } from '../../storage-worker/challenge/suspicion-hints.ts'
import type { LevelChunkStore } from '../../storage-worker/index.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { createSuspicionService } from '../../storage-worker/peers/suspicion-service.ts'
import { Auditor } from '../../storage-worker/replication/auditor.ts'
import { createLogger } from '../../telemetry/index.ts'
import { StillClock } from '../clocks.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { closePeers, connect, openPeer, type Peer } from '../protocol-handler/open-peer.ts'
import { JudgedChain } from '../storage-worker/challenge/judged-chain.ts'
import { MAS, makeParty, passPeriods, walletOf, whileLooking } from '../storage-worker/challenge/judged-party.ts'
import { MadePeriods, MadeTable, openMemoryStore, registered } from '../storage-worker/replication/audited-nodes.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { settle } from '../turns.ts'

const [ADMIN, HOLDER, CHALLENGER, WITNESS] = [0, 1, 2, 3]
const [holder, challenger, witness] = [HOLDER, CHALLENGER, WITNESS].map((actor) => walletOf(actor).address)
const PERIOD = makePeriod(1, { seed: 'told', blocks: 1, operations: 0 })
const NEWEST = makePeriod(40, { blocks: 1, operations: 0 })
const LOG = createLogger({ level: 'error', format: 'json', destination: { write: () => true } })
const DAY_MS = 86_400_000

describe('suspicions of others, over real streams and the shipped contract', () => {
  let chain: JudgedChain
  let store: LevelChunkStore
  let clock: SetClock
  let peers: { readonly holder: Peer; readonly witness: Peer; readonly challenger: Peer }

  beforeEach(async () => {
    assert.ok(holder && challenger && witness)
    chain = new JudgedChain()
    const admin = walletOf(ADMIN).address
    chain.call(admin, 'fundRewards', {}, 50n * MAS)
    chain.call(admin, 'addChallenger', { address: challenger }, MAS)
    for (const address of [holder, witness]) chain.call(address, 'registerStorageNode', { allocatedGb: 5n }, 11n * MAS)
    passPeriods(chain, 2)
    clock = new SetClock()
    store = await openMemoryStore()
    await store.writePeriod(PERIOD)
    peers = {
      holder: await openPeer('holder'),
      witness: await openPeer('witness'),
      challenger: await openPeer('challenger'),
    }
    await peers.holder.node.serve('audit', createAuditService(store))
    await connect(peers.witness, peers.holder)
    await connect(peers.challenger, peers.holder)
    await connect(peers.challenger, peers.witness)
  })
  afterEach(closePeers)

  /** Asks for the one chunk there is, of the holder. @param auditsPerDay - 1: at the end of a day */
  function openAuditor(from: Peer, auditsPerDay: number) {
    const periods = new MadePeriods()
    for (const { manifest } of [PERIOD, NEWEST]) periods.manifests.set(manifest.period, manifest)
    const client = new PeerClient(from.node, () => assert.fail('an offence'), { clock: new StillClock() })
    const audited: string[] = []
    const auditor = new Auditor(
      { auditsPerDay },
      {
        client,
        placement: {
          inForce: new MadeTable([registered(holder ?? ''), registered(witness ?? '')], () => true),
          isCurrent: true,
        },
        store: periods,
        listPeers: () => [{ address: holder ?? '', peer: peers.holder.node.peer }],
        clock,
        // Draws the first byte there is.
        random: (maxExclusive) => (maxExclusive === DAY_MS ? DAY_MS - 1 : 0),
        log: LOG,
        onResult: (result) => audited.push(result),
        onFailure: (error) => assert.fail(String(error)),
      },
    )
    return { auditor, client, audited }
  }

  async function openChallenger() {
    const { auditor, client, audited } = openAuditor(peers.challenger, 1)
    const party = await makeParty(chain, CHALLENGER, await openMemoryStore())
    const { address } = party
    const hints = new SuspicionHints({
      readIsChallenger: () => party.client.read('isChallenger', { address }),
      listPeers: () => [{ address: witness ?? '', peer: peers.witness.node.peer }],
      client,
      auditor,
      clock,
      random: () => 0,
      log: LOG,
    })
    const timer = new ChallengeTimer(
      1_000,
      { address, frequencyPeriods: 1_000_000, minIntervalPeriods: 1, maxFeePercent: 10, feeNanoMas: 0n },
      {
        registryLog: party.registryLog,
        sender: party,
        challenger: party.challenger,
        draw: async () => undefined,
        listSuspicions: () => auditor.listSuspicions(),
        findChunkId: async () => PERIOD.manifest.chunks[0]?.chunkId,
        gatherEvidence: async () => undefined,
        random: (count) => new Uint8Array(count).fill(7),
        clock: chain.clock,
        log: LOG,
      },
    )
    /** Two hours: it hears of a chunk, looks, and looks again. */
    const passTime = async () => {
      for (let minute = 0; minute < 120; minute++) {
        clock.timeMs += 60_000
        await hints.look()
        await auditor.look()
      }
    }
    return { auditor, audited, party, timer, passTime }
  }

  it('what a node that may not challenge did not get shown, the challenger asks for itself, and then on chain', async () => {
    await store.dropChunks(PERIOD.manifest.period, [0])
    const { auditor: witnessing } = openAuditor(peers.witness, 700)
    for (let look = 0; look < 20; look++) {
      clock.timeMs += 60_000
      await witnessing.look()
    }
    assert.equal(witnessing.listSuspicions().length, 1)
    await peers.witness.node.serve(
      'suspicion',
      createSuspicionService({ listSuspicions: () => witnessing.listSuspicions(), random: () => 0 }),
    )
    const { auditor, audited, party, timer, passTime } = await openChallenger()
    await passTime()
    assert.deepEqual(audited.slice(0, 2), ['failed', 'failed'])
    assert.deepEqual(
      auditor.listSuspicions().map(({ address }) => address),
      [holder],
    )
    await party.registryLog.look()
    await timer.look()
    const isOver = async () => {
      while ((await party.history.list(1))[0]?.result !== 'noAnswer') await settle(1)
    }
    await whileLooking(chain, [party], isOver())
    const [entry] = await party.history.list(1)
    assert.equal(entry?.node, holder)
    assert.match(entry?.challengeId ?? '', /^a-/)
    assert.equal(chain.world.model.state.findNode(holder ?? '')?.strikePoints, 20n)
  })

  it('hostile: a witness that lies has it asked once in an hour, and nothing comes on chain', async () => {
    const lie: StreamService<SuspicionRequest>['answer'] = async () => {
      const suspicions = [{ node: parseAddress(holder ?? ''), period: PERIOD.manifest.period, index: 0 }]
      return [suspicionResponseCodec.encode({ status: 'ok', suspicions })]
    }
    await peers.witness.node.serve('suspicion', { ...createSuspicionService(NONE), answer: lie })
    const { auditor, audited, party, timer, passTime } = await openChallenger()
    await passTime()
    assert.deepEqual([audited, auditor.listSuspicions()], [['shown', 'shown'], []])
    await party.registryLog.look()
    await timer.look()
    await settle(50)
    passPeriods(chain, 2)
    assert.deepEqual(
      chain.executed.filter(({ functionName }) => functionName === 'issueChallenges'),
      [],
    )
    assert.deepEqual(await party.history.list(1), [])
  })
})

const NONE = { listSuspicions: () => [], random: () => 0 }
