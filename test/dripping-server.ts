import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface DrippingServer {
  readonly url: string
  /** The head and some bytes of an answer are sent, and garbage was collected since. */
  readonly dripped: Promise<void>
  /** Who asked closed the connection. */
  readonly left: Promise<void>
  stop(): Promise<void>
}

/**
 * Answers with a byte now and then, for ever. What Node collects as garbage meanwhile is collected for sure: without that
 * it depends on how much else is going on.
 */
export async function serveDripping(
  begin: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.writeHead(200),
): Promise<DrippingServer> {
  const events = new EventEmitter()
  const dripped = once(events, 'dripped').then(() => undefined)
  const left = once(events, 'left').then(() => undefined)
  const server = createServer(async (request, response) => {
    begin(request, response)
    response.on('close', () => events.emit('left'))
    for (let bytes = 0; !response.destroyed; bytes++) {
      await new Promise((resolve) => response.write(' ', resolve))
      // Once to collect, and once more what its finalizers let go.
      if (bytes === 3 || bytes === 6) collect()
      if (bytes === 9) events.emit('dripped')
      await setImmediate()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dripped,
    left,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
