import { createServer } from 'node:net'
import { ArchiveError } from '../../core/index.ts'

const HOST = '127.0.0.1'
/** Named in a message. */
const SHOWN_PORTS = 3

/** A port that something listens on, and what it is for. */
export interface PortWish {
  readonly purpose: string
  /** Taken when it is free. */
  readonly port: number
  /** Where it is listened on; 127.0.0.1 when absent. */
  readonly host?: string | undefined
}

/**
 * Finds out before anything starts whether ports are free.
 *
 * @param takeOthers - take a free one for each that is not
 * @returns in the order of the wishes
 * @throws ArchiveError DEVNET_PORT_BUSY
 */
export async function choosePorts(wishes: readonly PortWish[], takeOthers: boolean): Promise<number[]> {
  const chosen: number[] = []
  const busy: PortWish[] = []
  for (const wish of wishes) {
    const port = await tryListen(wish.port, wish.host)
    if (port !== undefined) chosen.push(port)
    else if (takeOthers) chosen.push(await findFree(chosen, wish.host))
    else busy.push(wish)
  }
  if (busy.length === 0) return chosen
  const list = busy.slice(0, SHOWN_PORTS).map(({ port, purpose }) => `${port} (${purpose})`)
  if (busy.length > SHOWN_PORTS) list.push(`${busy.length - SHOWN_PORTS} more`)
  const message = `${busy.length === 1 ? 'a port is' : 'ports are'} in use: ${list.join(', ')}`
  throw new ArchiveError('DEVNET_PORT_BUSY', message, { ports: busy.map(({ port }) => port).join(', ') })
}

/** Whether this machine has a loopback address of its own for each of many: Linux has, macOS has 127.0.0.1 alone. */
export async function canListenOn(host: string): Promise<boolean> {
  return (await tryListen(0, host)) !== undefined
}

async function findFree(taken: readonly number[], host?: string): Promise<number> {
  for (;;) {
    const port = await tryListen(0, host)
    if (port !== undefined && !taken.includes(port)) return port
  }
}

/** The port, 0 being any; undefined when it is not to be had. */
function tryListen(port: number, host = HOST): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}
