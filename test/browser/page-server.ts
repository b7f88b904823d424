import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Serves these scripts, and an empty page at `/`, on loopback. */
export async function servePage(scripts: ReadonlyMap<string, Uint8Array>): Promise<{ url: string; close: () => void }> {
  const server = createServer(({ url = '/' }, response) => {
    const script = scripts.get(url.slice(1))
    if (script) response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end('<!doctype html><title>empty</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() }
}
