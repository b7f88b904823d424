import { canListenOn } from './free-ports.ts'
import type { SidecarPorts } from './network-ports.ts'

const ONE_FOR_ALL = '127.0.0.1'
const HOSTS = 250
/** Whom a sidecar dials first; it hears of the others from them. */
const MAX_BOOTSTRAP = 3

/** Where a sidecar listens for others, and whom it dials first. */
export interface PeerPlace {
  readonly host: string
  /** Where others dial it, if not where it listens. */
  readonly announcedPort?: number | undefined
  /** Multiaddrs. */
  readonly bootstrap: readonly string[]
}

export interface NamedPorts {
  readonly name: string
  /** `p2p`: where it is dialled. */
  readonly ports: Pick<SidecarPorts, 'p2p'>
}

/**
 * A loopback address for each sidecar, so that each stands in a /16 of its own: those of one network count as one place
 * (docs/FORMAT.md, Holders), and nothing would ever be let go where all copies are in one.
 */
export class PeerPlaces {
  private readonly hasMany: boolean

  private constructor(hasMany: boolean) {
    this.hasMany = hasMany
  }

  /** macOS has 127.0.0.1 alone: there all stand in one place. */
  static async open(): Promise<PeerPlaces> {
    return new PeerPlaces(await canListenOn(computeHost('sidecar-1')))
  }

  /** @param known - whom it may dial */
  find(name: string, known: readonly NamedPorts[]): PeerPlace {
    const others = known.filter((other) => other.name !== name).slice(0, MAX_BOOTSTRAP)
    return {
      host: this.hostOf(name),
      bootstrap: others.map((other) => formatPeerAddress(this.hostOf(other.name), other.ports)),
    }
  }

  /** Where a sidecar listens. */
  hostOf(name: string): string {
    return this.hasMany ? computeHost(name) : ONE_FOR_ALL
  }
}

/** Multiaddr of a sidecar. */
export function formatPeerAddress(host: string, { p2p }: Pick<SidecarPorts, 'p2p'>): string {
  return `/ip4/${host}/tcp/${p2p}`
}

/** @param name - such as sidecar-3 */
function computeHost(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0)
  return `127.${1 + (number % HOSTS)}.0.1`
}
