import { siteOf } from './host-site.ts'
import { MAX_LISTEN_ADDRESSES } from './limits.ts'

interface Registered {
  /** Texts: not one needs to be a multiaddr. */
  readonly p2pAddrs: readonly string[]
}

/** Sites that the configuration or the registry names: from there somebody is expected. */
export class KnownHosts {
  private readonly bootstrap: readonly string[]
  private readonly listRegistered: () => readonly Registered[]
  private seen: readonly Registered[] | undefined
  private sites: ReadonlySet<string> = new Set()

  /**
   * @param bootstrap - multiaddrs
   * @param listRegistered - gives another array when another registry is in force
   */
  constructor(bootstrap: readonly string[], listRegistered: () => readonly Registered[]) {
    this.bootstrap = bootstrap
    this.listRegistered = listRegistered
  }

  /** @param site - as `siteOf` gives it */
  has(site: string): boolean {
    const registered = this.listRegistered()
    if (registered !== this.seen) {
      this.seen = registered
      const told = registered.flatMap(({ p2pAddrs }) => p2pAddrs.slice(0, MAX_LISTEN_ADDRESSES))
      this.sites = new Set([...this.bootstrap, ...told].map((address) => siteOf(address.split('/')[2] ?? '')))
    }
    return this.sites.has(site)
  }
}
