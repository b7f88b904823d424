import { ArchiveError } from '../../core/index.ts'
import { chooseNodePorts, chooseSidecarPorts, type NetworkPorts, type SidecarPorts } from './network-ports.ts'
import { PeerLinks } from './peer-links.ts'
import type { NamedPorts, PeerPlace, PeerPlaces } from './peer-places.ts'

export interface NetworkPlacesModules {
  /** Names of all sidecars, in the order of their ports. */
  readonly listNames: () => readonly string[]
  /** Of a sidecar that was started. */
  readonly currentPorts: (name: string) => SidecarPorts | undefined
  /** By name, of those that run. */
  readonly listPids: () => ReadonlyMap<string, number>
}

/** Where everything of a network listens and is dialled, and the links between its sidecars. */
export class NetworkPlaces {
  private ports: NetworkPorts
  private readonly peerPlaces: PeerPlaces
  private readonly modules: NetworkPlacesModules
  private readonly links: PeerLinks | undefined

  constructor(
    made: { readonly ports: NetworkPorts; readonly peerPlaces: PeerPlaces },
    options: { readonly isCuttable: boolean },
    modules: NetworkPlacesModules,
  ) {
    this.ports = made.ports
    this.peerPlaces = made.peerPlaces
    this.modules = modules
    const sidecars = { listPids: modules.listPids, placeOf: (name: string) => this.placeOf(name) }
    this.links = options.isCuttable ? new PeerLinks(sidecars) : undefined
  }

  /** Of the node, and of the API of the network. */
  get current(): Omit<NetworkPorts, 'sidecars'> {
    return this.ports
  }

  /** Those of the node, or where they are busy and it takes them, others. @throws ArchiveError DEVNET_PORT_BUSY */
  async chooseNodePorts(takesOthers: boolean): Promise<void> {
    this.ports = { ...this.ports, ...(await chooseNodePorts(this.ports, takesOthers)) }
  }

  /**
   * All of them before the first one starts: each is told where the others are. What was free when the network began may be
   * another network's by now, and its sidecars would be dialled.
   */
  async claimSidecarPorts(): Promise<void> {
    const wishes = this.modules.listNames().map((name, i) => {
      return { name, ports: this.portsOf(i), peerHost: this.peerPlaces.hostOf(name) }
    })
    const sidecars = await chooseSidecarPorts(wishes, true)
    this.ports = { ...this.ports, sidecars }
  }

  portsOf(place: number): SidecarPorts {
    const ports = this.ports.sidecars[place]
    if (!ports) throw new ArchiveError('DEVNET_STEP_FAILED', `there are no ports for sidecar ${place + 1}`)
    return ports
  }

  findPeers(name: string): PeerPlace {
    return { ...this.peerPlaces.find(name, this.listPeerPorts()), announcedPort: this.links?.portOf(name) }
  }

  async openLinks(name: string): Promise<void> {
    await this.links?.open(name, this.peerPlaces.hostOf(name))
  }

  /** @throws ArchiveError DEVNET_COMMAND_REFUSED when links cannot be cut */
  get cuttableLinks(): PeerLinks {
    if (this.links) return this.links
    const message = 'links between sidecars cannot be cut: start the network with `massa-storage devnet up --cuttable`'
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', message)
  }

  close(): void {
    this.links?.close()
  }

  /** Where each is dialled; of who did not start yet, where it will be. */
  private listPeerPorts(): NamedPorts[] {
    return this.modules.listNames().flatMap((name, i) => {
      const { p2p } = this.modules.currentPorts(name) ?? this.ports.sidecars[i] ?? {}
      const dialled = this.links?.portOf(name) ?? p2p
      return dialled === undefined ? [] : [{ name, ports: { p2p: dialled } }]
    })
  }

  private placeOf(name: string): { host: string; port: number } | undefined {
    const ports = this.modules.currentPorts(name)
    return ports && { host: this.peerPlaces.hostOf(name), port: ports.p2p }
  }
}
