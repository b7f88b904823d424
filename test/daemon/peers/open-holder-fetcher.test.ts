import assert from 'node:assert/strict'
import { ArchiveError, isArchiveError } from '../../../core/index.ts'
import { openHolderFetcher } from '../../../daemon/peers/open-holder-fetcher.ts'
import type { PeerContext } from '../../../daemon/peers/peer-context.ts'
import { StopSteps } from '../../../daemon/stop-steps.ts'
import type { HolderClaims } from '../../../storage-worker/replication/holder-claims.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { makePeriod } from '../../storage-worker/synthetic-period.ts'

const PERIOD = makePeriod(130)

/** Of nodes `AU-name`, those of `connected` are; all but `dead` answer when they are dialled, as `name`. `peers` are all there are. */
function open({ connected = ['near'], crowded = false, dead = [] as string[], peers = [] as string[] }) {
  const log = createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } })
  const calls: string[] = []
  const asked: string[] = []
  const context = {
    address: 'AU-own',
    clock: new StillClock(),
    log,
    undo: new StopSteps(log),
    metrics: { readChunks: { add: () => undefined } },
    placement: {
      inForce: { addressesOfSlot: () => ['AU-own', 'AU-near', 'AU-far1', 'AU-far2', 'AU-far3', 'AU-far4'] },
    },
    bindings: { addressOf: () => undefined },
    client: {
      fetchChunk: async (peer: string) => {
        asked.push(peer)
        return { status: 'notHeld' }
      },
    },
    node: {
      peers,
      dial: async (multiaddr: string) => {
        calls.push(`dial ${multiaddr}`)
        if (dead.includes(multiaddr)) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
        return multiaddr
      },
      hangUp: async (peer: string) => void calls.push(`hang up ${peer}`),
    },
  } as unknown as PeerContext
  const claims = {
    listClaimants: (_hashSlot: number, era: number) => (era === 1 ? ['AU-claiming'] : []),
    peerOf: (address: string) => {
      const name = address.slice(3)
      return connected.includes(name) ? name : undefined
    },
  } as unknown as HolderClaims
  const targets = { addressOf: (address: string) => address.slice(3), isCrowded: () => crowded }
  return { fetcher: openHolderFetcher(context, { claims, targets }), asked, calls }
}

const isAway = (error: unknown) => isArchiveError(error, 'STORE_CHUNK_AWAY')

describe('daemon/peers/open-holder-fetcher', () => {
  it('asks claimants and holders that are connected, then dials three of the others, never itself', async () => {
    const { fetcher, asked, calls } = open({ connected: ['claiming', 'near'], dead: ['far2'] })
    await assert.rejects(fetcher.fetchChunk(PERIOD.manifest, 0), isAway)
    assert.deepEqual(new Set(asked.slice(0, 2)), new Set(['claiming', 'near']))
    assert.deepEqual(new Set(asked.slice(2)), new Set(['far1', 'far3']))
    assert.deepEqual(calls, ['dial far1', 'dial far2', 'dial far3'])
  })

  it('ends what it dialled where connections are needed, and nothing else', async () => {
    const { fetcher, calls } = open({ crowded: true, dead: ['far2'] })
    await assert.rejects(fetcher.fetchChunk(PERIOD.manifest, 0), isAway)
    assert.deepEqual(calls.slice(3), ['hang up far1', 'hang up far3'])
  })

  it('asks whoever is connected for a chunk of which no period is known', async () => {
    const { fetcher, asked } = open({ peers: ['near', 'stranger'], dead: ['far1', 'far2', 'far3'] })
    await assert.rejects(fetcher.fetchById(new Uint8Array(32)), isAway)
    assert.deepEqual(asked, ['near', 'stranger'])
  })
})
