import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { ArchiveError } from '../../core/index.ts'
import { findSocketOwner, tellsSocketOwners } from './socket-owner.ts'

export interface LinkedSidecars {
  /** Processes that run, by name of the sidecar. */
  readonly listPids: () => ReadonlyMap<string, number>
  /** Where a sidecar itself listens for others at the moment. */
  readonly placeOf: (name: string) => { readonly host: string; readonly port: number } | undefined
}

/**
 * Links between sidecars that pass through this process, so that they can be cut as by a network that loses every packet:
 * connections stay open, and nothing that is sent over them arrives.
 */
export class PeerLinks {
  private readonly sidecars: LinkedSidecars
  private readonly servers = new Map<string, Server>()
  private readonly links = new Set<Link>()
  /** One half; none: nothing is cut. */
  private apart: ReadonlySet<string> = new Set()

  /** @throws ArchiveError DEVNET_COMMAND_REFUSED where it cannot be known who opens a connection */
  constructor(sidecars: LinkedSidecars) {
    if (!tellsSocketOwners()) {
      throw new ArchiveError('DEVNET_COMMAND_REFUSED', 'links between sidecars can be cut on Linux only')
    }
    this.sidecars = sidecars
  }

  /**
   * Opens the place at which others reach a sidecar, once for as long as it exists.
   *
   * @throws ArchiveError DEVNET_PORT_BUSY
   */
  async open(name: string, host: string): Promise<void> {
    if (this.servers.has(name)) return
    const server = createServer({ pauseOnConnect: true }, (socket) => this.accept(socket, name))
    this.servers.set(name, server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new ArchiveError('DEVNET_PORT_BUSY', `no port to be had at ${host}`, { host }, cause))
      })
      server.listen({ host, port: 0 }, resolve)
    })
  }

  /** Where others reach a sidecar whose place is open. */
  portOf(name: string): number | undefined {
    const address = this.servers.get(name)?.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** Nothing passes any more between these and all others. */
  part(names: readonly string[]): void {
    this.apart = new Set(names)
    for (const link of this.links) if (this.crosses(link)) link.cut()
  }

  /** What was sent over links that were cut arrives now, where both ends still wait for it. */
  join(): void {
    this.apart = new Set()
    for (const link of this.links) if (link.isCut) link.mend()
  }

  close(): void {
    for (const server of this.servers.values()) server.close()
    for (const link of this.links) link.end()
  }

  private accept(socket: Socket, to: string): void {
    const { localPort = 0, remotePort = 0 } = socket
    const from = findSocketOwner({ localPort, remotePort }, this.sidecars.listPids())
    const place = this.sidecars.placeOf(to)
    if (!place) {
      socket.destroy()
      return
    }
    const link = new Link({ from, to }, socket, place, () => this.links.delete(link))
    this.links.add(link)
    if (this.crosses(link)) link.cut()
    else link.mend()
  }

  /** Who dials and is none of the sidecars reaches all of them. */
  private crosses({ from, to }: Link): boolean {
    return from !== undefined && this.apart.size > 0 && this.apart.has(from) !== this.apart.has(to)
  }
}

/** A connection that somebody opened, and ours to where it leads. */
class Link {
  readonly from: string | undefined
  readonly to: string
  private readonly near: Socket
  private far: Socket | undefined
  private readonly place: { readonly host: string; readonly port: number }
  private readonly onEnd: () => void
  private isParted = false
  /** One of both was closed: the other end learns of it when it can. */
  private isOver = false

  constructor(
    ends: { readonly from: string | undefined; readonly to: string },
    near: Socket,
    place: { readonly host: string; readonly port: number },
    onEnd: () => void,
  ) {
    this.from = ends.from
    this.to = ends.to
    this.near = near
    this.place = place
    this.onEnd = onEnd
    this.watch(near)
  }

  get isCut(): boolean {
    return this.isParted
  }

  cut(): void {
    this.isParted = true
    this.near.unpipe()
    this.near.pause()
    this.far?.unpipe()
    this.far?.pause()
  }

  /** Lets through what it holds back. */
  mend(): void {
    this.isParted = false
    if (this.isOver) {
      this.end()
      return
    }
    if (!this.far) {
      this.far = dial(this.place)
      this.watch(this.far)
    }
    this.near.pipe(this.far)
    this.far.pipe(this.near)
  }

  end(): void {
    this.near.destroy()
    this.far?.destroy()
    this.onEnd()
  }

  private watch(socket: Socket): void {
    // Whatever befell it, it is closed next.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.isOver = true
      if (!this.isParted) this.end()
    })
  }
}
