import assert from 'node:assert/strict'
import { openContext } from '../../../daemon/peers/open-context.ts'
import type { PeerContext, PeerNetworkModules } from '../../../daemon/peers/peer-context.ts'
import { serveRequests } from '../../../daemon/peers/serve-requests.ts'
import { startAnnouncements } from '../../../daemon/peers/start-announcements.ts'
import { askAsBackfill } from '../../../daemon/peers/start-bootstrap.ts'
import { StopSteps } from '../../../daemon/stop-steps.ts'
import {
  auditResponseCodec,
  type GossipHandler,
  MAX_ANNOUNCEMENTS_AT_ONCE,
  MAX_EXCESS_ANNOUNCEMENTS,
  MAX_STRANGER_STATEMENTS_AT_ONCE,
  type StreamService,
  signCapabilities,
} from '../../../protocol-handler/index.ts'
import { formatPeerId } from '../../../protocol-handler/peer-id-text.ts'
import type { PeerNode, PeerNodeModules } from '../../../protocol-handler/peer-node.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { KeptMarks } from '../../protocol-handler/kept-marks.ts'
import { NETWORK, OTHER_PEER_ID, PEER_ID, SEED } from '../../protocol-handler/sample-messages.ts'

const IDENTITY = { network: NETWORK, chunkSizeBytes: 1_048_576 }
const ADDRESS = 'AU12wR1xyxsWCWaT8ZsSZ9JyYXdQyR9cKLuxVmsBhHWbPTVmY9mVV'

/** That bounds are not only there, but used: what each part of a sidecar is given. */
describe('daemon/peers: what is wired to what', () => {
  let undo: StopSteps
  let shared: Pick<PeerNetworkModules, 'clock' | 'log' | 'undo' | 'onFatal'>
  beforeEach(() => {
    const log = createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } })
    undo = new StopSteps(log)
    shared = { clock: new StillClock(), log, undo, onFatal: assert.fail }
  })
  afterEach(() => undo.run())

  it('a stranger is whoever the registry in force does not know; without one nobody is', async () => {
    const capabilities = signCapabilities(SEED, {
      network: NETWORK,
      peerId: PEER_ID,
      sequence: 1n,
      allocatedGb: 1n,
      storedChunks: 0n,
      retentionPeriods: 0n,
      firstPeriod: 0,
      endPeriod: 0,
      listenAddresses: [],
    })
    const placement: { inForce: unknown } = { inForce: undefined }
    const given: PeerNodeModules[] = []
    const { bindings } = await openContext(
      {
        config: { dataDir: '', p2p: { maxBytesPerSecond: 0, bootstrap: [], announce: [] } } as never,
        seed: SEED,
        openNode: async (modules) => {
          given.push(modules)
          return { stop: async () => undefined } as PeerNode
        },
      },
      { ...shared, store: { chunks: { identity: IDENTITY }, spool: new KeptMarks() }, placement } as never,
    )
    const isStranger = (peerId: Uint8Array): boolean | undefined => given[0]?.isStranger?.(formatPeerId(peerId))
    const address = bindings.take(capabilities, PEER_ID)
    assert.deepEqual([isStranger(PEER_ID), isStranger(OTHER_PEER_ID)], [false, false])
    placement.inForce = { snapshot: { nodes: [{ address, placementGb: 1n, p2pAddrs: ['/ip4/192.0.2.7/tcp/1'] }] } }
    assert.deepEqual([isStranger(PEER_ID), isStranger(OTHER_PEER_ID)], [false, true])
    // What is in its name is heard though strangers say more than they may.
    const hear = (topic: string, claim: string | undefined) =>
      given[0]?.rates.admit({ topic, author: formatPeerId(OTHER_PEER_ID), isDirect: true, readClaim: () => claim })
    for (let i = 0; i < MAX_STRANGER_STATEMENTS_AT_ONCE; i++) hear(`${i}`, undefined)
    assert.deepEqual([hear('a', undefined), hear('b', address)], ['ignore', 'accept'])
    // Where that node is registered is known too: others cannot keep it out.
    for (let i = 0; i < 1_000; i++) given[0]?.connections.admit(`10.${i % 250}.${i >> 2}.1`)
    assert.deepEqual(
      ['198.51.100.1', '192.0.2.7'].map((host) => given[0]?.connections.admit(host)),
      [false, true],
    )
  })

  it('what is withheld is shown in no audit', async () => {
    const services = new Map<string, StreamService<unknown>>()
    const withheld = new WithheldChunks()
    const place = { period: 1, index: 0 }
    const context = {
      ...shared,
      config: { storageRegistryAddress: '' },
      seed: SEED,
      node: { serve: async (name: string, service: StreamService<unknown>) => void services.set(name, service) },
      store: {
        chunks: {
          identity: IDENTITY,
          findChunks: async () => [place],
          readChunk: async () => new Uint8Array(2_000),
        },
      },
      placement: { inForce: undefined },
      metrics: { servedChunks: { add: () => undefined } },
    } as unknown as PeerContext
    await serveRequests(context, withheld)
    const audit = async (): Promise<string> => {
      const answer = await services.get('audit')?.answer({ chunkId: new Uint8Array(32), leafIndex: 0 }, 'peer')
      return auditResponseCodec.decode(answer?.[0] ?? new Uint8Array()).status
    }
    assert.deepEqual([await withheld.during(place, audit), await audit()], ['notHeld', 'ok'])
  })

  it('announcements past what a node may say cost it', () => {
    const handlers = new Map<string, GossipHandler>()
    const penalised: unknown[] = []
    const context = {
      ...shared,
      address: ADDRESS,
      node: {
        onGossip: (name: string, handler: GossipHandler) => void handlers.set(name, handler),
        penalise: (...what: unknown[]) => void penalised.push(what),
      },
      bindings: { addressOf: () => ADDRESS },
      registered: { has: () => true, list: () => [{}] },
      archiver: { status: () => ({}) },
      placement: { inForce: undefined },
      holdings: { readRange: async () => undefined },
      store: { chunks: {} },
      metrics: { announcements: { add: () => undefined } },
    } as unknown as PeerContext
    startAnnouncements(context, { claims: {} as never, patrol: { hear: () => undefined } })
    for (let i = 0; i < MAX_ANNOUNCEMENTS_AT_ONCE + MAX_EXCESS_ANNOUNCEMENTS; i++) {
      assert.deepEqual(penalised, [])
      assert.throws(() => handlers.get('announce')?.(Uint8Array.of(9), PEER_ID, true))
    }
    assert.deepEqual(penalised, [[formatPeerId(PEER_ID), 'limit']])
  })

  it('what a bootstrap asks for waits for all other things', async () => {
    const asked: unknown[] = []
    const node = {
      request: async (...[peer, name, { priority }]: Parameters<PeerNode['request']>) => {
        asked.push([peer, name, priority])
        return []
      },
    }
    const options = { bytes: new Uint8Array(), maxAnswerBytes: 1, frames: 1, deadlineMs: 1 }
    await askAsBackfill(node).request('peer', 'chunk', { ...options, priority: 'repair' })
    assert.deepEqual(asked, [['peer', 'chunk', 'backfill']])
  })
})
