import { randomInt } from 'node:crypto'
import { DialTargets, Redialer } from '../../protocol-handler/index.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { MapVisits } from '../../storage-worker/replication/map-visits.ts'
import { ofTable } from './of-table.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Where nodes listen, and whether there is room for connections that nothing needs for long. */
export interface NodePlaces {
  /** Multiaddr, by Massa address. */
  addressOf(address: string): string | undefined
  isCrowded(): boolean
}

/** Of `p2p.max_connections`, that we fill ourselves: each node that dials half of them is dialled by as many. */
const FILLED_SHARE = 3 / 4

/**
 * Keeps us connected to whom the configuration names, to those who told us where they listen, and to some of the registry
 * or of the local network; for a moment also to those whose have-maps we lack.
 */
export function startRedialer(context: PeerContext, claims: HolderClaims): NodePlaces {
  const { config, node, address, bindings, registered, placement, ownAddresses, clock, undo } = context
  const neighbours = ofTable(placement, (table) => new Set(table.listNeighbours(address)))
  const enoughPeers = Math.max(1, Math.floor(config.p2p.maxConnections * FILLED_SHARE))
  const targets = new DialTargets(
    { bootstrap: config.p2p.bootstrap, own: { peerId: node.peerId, address, addresses: ownAddresses }, enoughPeers },
    {
      bindings,
      isNeighbour: (other) => neighbours()?.has(other) ?? false,
      registered,
      listLocal: () => node.localPeers,
      countPeers: () => node.peers.length,
      clock,
      random: randomInt,
    },
  )
  // Asked for each target of a look: the list of peers is made once for all of them.
  let here: ReadonlySet<string> = new Set()
  const redialer = new Redialer(
    {
      listTargets: () => {
        here = new Set(node.peers)
        return targets.list()
      },
      isConnected: (address) => {
        const peer = targets.peerAt(address)
        return peer !== undefined && (peer === node.peer || here.has(peer))
      },
      dial: async (address) => targets.onDialled(address, await node.dial(address)),
    },
    clock,
  )
  redialer.start()
  undo.push(() => redialer.stop())
  const isCrowded = (): boolean => node.peers.length >= enoughPeers
  const visits = new MapVisits({
    listNeighbours: () => [...(neighbours() ?? [])],
    claims,
    ports: {
      addressOf: (other) => targets.addressOf(other),
      dial: (multiaddr) => node.dial(multiaddr),
      hangUp: (peer) => node.hangUp(peer),
      listPeers: () => node.peers,
      isCrowded,
    },
    clock,
  })
  keepRunning('visits for have-maps', visits, context)
  return { addressOf: (other) => targets.addressOf(other), isCrowded }
}
