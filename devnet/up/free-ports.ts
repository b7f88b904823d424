import { createServer } from 'node:net'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { findPortHolder, type PortHolder } from './port-holder.ts'

const HOST = '127.0.0.1'
/** Named in a message. */
const SHOWN_PORTS = 3

const HOLDERS: Readonly<Record<PortHolder, string>> = {
  listener: 'where a program listens',
  connection: 'which a connection of a program has',
  'closed connection': 'which a closed connection has for a minute',
  nobody: 'which was in use a moment ago',
}

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
  throw describeBusy(
    busy.map((wish) => ({ ...wish, holder: findPortHolder({ host: wish.host ?? HOST, port: wish.port }) })),
  )
}

/** Whether ports are busy that nobody listens on: the connections that have them end. */
export function isPassing(error: unknown): error is ArchiveError {
  return isArchiveError(error, 'DEVNET_PORT_BUSY') && error.context.isPassing === true
}

function describeBusy(busy: readonly (PortWish & { readonly holder: PortHolder | undefined })[]): ArchiveError {
  const list = busy.slice(0, SHOWN_PORTS).map(({ port, purpose, holder }) => {
    return `${port} (${purpose})${holder ? `, ${HOLDERS[holder]}` : ''}`
  })
  if (busy.length > SHOWN_PORTS) list.push(`${busy.length - SHOWN_PORTS} more`)
  const message = `${busy.length === 1 ? 'a port is' : 'ports are'} in use: ${list.join('; ')}`
  return new ArchiveError('DEVNET_PORT_BUSY', message, {
    ports: busy.map(({ port }) => port).join(', '),
    isPassing: busy.every(({ holder }) => holder !== undefined && holder !== 'listener'),
  })
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
