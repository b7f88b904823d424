import assert from 'node:assert/strict'
import { computeChunkId, concatBytes } from '../../core/index.ts'
import { WORK } from '../../daemon/peers/shares.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { auditRequestCodec, blockRequestCodec, MAX_GOSSIP_AT_ONCE, WorkQueue } from '../../protocol-handler/index.ts'
import { formatProtocolId, type StreamName } from '../../protocol-handler/network-name.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../storage-worker/peers/block-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { giveFinal, holdArchiver, offerChain } from '../archiver/archiver-holder.ts'
import { chainOf, NETWORK } from '../archiver/made-chain.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { Attacker, prefixed, publish } from '../protocol-handler/attacker.ts'
import { closeHostileStage } from '../protocol-handler/hostile-stage.ts'
import { addressOf, connect, IDENTITY, openPeer, until } from '../protocol-handler/open-peer.ts'

const PEERS = 50
const PERIODS = 5
/** Four a second: of a standing clock. */
const SHARE = { requestsPerSecond: 4, openStreams: 8 }
/** Served, answered with busy, ignored, and one that is cut off. */
const REQUESTS = 20 + 20 + 80 + 1
const GOSSIP = '/meshsub/1.1.0'
const ANNOUNCE = formatProtocolId(IDENTITY, 'announce')

/** Each does one thing, as fast as its line takes it. */
const FLOODS: ((attacker: Attacker) => Promise<void>)[] = [
  (attacker) => ask(attacker, 'audit', auditRequestCodec.encode({ chunkId: new Uint8Array(32), leafIndex: 7 })),
  (attacker) => {
    const wanted = { thread: 31, beforePeriod: 3, id: new Uint8Array(33) }
    const blocks = Array.from({ length: 4 }, () => wanted)
    return ask(attacker, 'block', blockRequestCodec.encode({ blocks }))
  },
  (attacker) => ask(attacker, 'audit', Uint8Array.of(1, 2, 3)),
  async (attacker) => {
    const rpc = await publish({
      topic: ANNOUNCE,
      data: new Uint8Array(1_000),
      from: attacker.peerId,
      sequence: 1,
      signer: undefined,
    })
    const stream = await attacker.open(GOSSIP)
    stream.send(repeat(rpc, 2 * MAX_GOSSIP_AT_ONCE + 1))
  },
  async (attacker) => {
    for (let i = 0; i <= SHARE.openStreams; i++) await attacker.open(formatProtocolId(IDENTITY, 'audit'))
  },
]

function repeat(message: Uint8Array, times: number): Uint8Array {
  return concatBytes(...Array.from({ length: times }, () => prefixed(message)))
}

async function ask(attacker: Attacker, name: StreamName, request: Uint8Array): Promise<void> {
  const stream = await attacker.open(formatProtocolId(IDENTITY, name))
  stream.send(repeat(request, REQUESTS))
}

describe('hostile: a flood of 50 peers over real streams', () => {
  afterEach(closeHostileStage)

  it('no period is missed, the node of the registry is answered, and no offence is held against it', async () => {
    const chain = offerChain(chainOf('flood', PERIODS, { operationsPerBlock: 1 }))
    const archive = await holdArchiver({ network: NETWORK })
    const give = (period: number) =>
      giveFinal(
        archive,
        chain.filter(({ slot }) => slot.period === period),
      )
    for (let period = 1; period <= 2; period++) await give(period)
    await until(() => archive.archivedPeriods.length > 0, 'the first period')

    const honest = await openPeer('honest')
    const isStranger = (peer: string): boolean => peer !== honest.node.peer
    const queue = new WorkQueue(WORK, systemClock)
    const victim = await openPeer('victim', {
      share: SHARE,
      clock: new SetClock(),
      isStranger,
      queue,
      maxConnections: 128,
    })
    await victim.node.serve('audit', createAuditService(archive.store))
    await victim.node.serve('block', createBlockService(archive.store))
    victim.node.onGossip('announce', () => undefined)
    await connect(honest, victim)

    const attackers: Attacker[] = []
    while (attackers.length < PEERS) {
      // More than a host may bring in a second come in the next one.
      const attacker = await Attacker.connect(`flood ${attackers.length}`, addressOf(victim)).catch(() => undefined)
      if (attacker) attackers.push(attacker)
    }
    // Cut off in the middle of it, most of them.
    const flood = Promise.allSettled(attackers.map((attacker, i) => FLOODS[i % FLOODS.length]?.(attacker)))

    const client = new PeerClient(honest.node, (_, offence) => assert.fail(offence), { clock: systemClock })
    const [first = 0] = archive.archivedPeriods
    const chunk = await archive.store.readChunk(first, 0)
    assert.ok(chunk)
    for (let period = 3; period <= PERIODS; period++) {
      await give(period)
      const answer = await client.audit(victim.node.peer, computeChunkId(chunk), 0)
      assert.equal(answer.status, 'ok')
    }
    await flood
    await until(() => archive.archivedPeriods.length >= PERIODS - 1, 'the periods')
    const offenders = () => new Set(victim.offences.map(([peer]) => peer))
    await until(() => offenders().size >= PEERS, 'what is held against them')
    assert.deepEqual(offenders(), new Set(attackers.map(({ peer }) => peer)))
    assert.deepEqual(victim.failures, [])
    await queue.stop()
    await archive.archiver.stop()
  })
})
