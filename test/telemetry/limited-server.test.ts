import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createLimitedServer } from '../../telemetry/limited-server.ts'

const NEVER_MS = 600_000
const SOON_MS = 100
const PATIENT = { headMs: NEVER_MS, requestMs: NEVER_MS, stalledMs: NEVER_MS, lookMs: 10 }
/** More than what lies between two sockets of one machine. */
const LONG_ANSWER_BYTES = 32 * 1024 * 1024
const ASK = 'GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'

/** Who is cut off, and who is not. */
describe('telemetry/limited-server', () => {
  let server: FastifyInstance
  const clients: Socket[] = []

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy()
    await server.close()
  })

  /** @param sent - by a client; `closed` resolves when the server has ended the connection */
  async function open(limits: Partial<typeof PATIENT>, sent: string) {
    server = createLimitedServer({}, { ...PATIENT, ...limits })
    server.get('/long', async () => 'x'.repeat(LONG_ANSWER_BYTES))
    server.get('/slow', async ({ raw: { socket } }) => {
      await once(socket, 'timeout')
      return 'done'
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
    const connected = once(server.server, 'connection') as Promise<[Socket]>
    const client = connect((server.server.address() as AddressInfo).port, '127.0.0.1')
    clients.push(client)
    client.on('error', () => {})
    client.write(sent)
    const [served] = await connected
    return { client, closed: new Promise<void>((resolve) => served.once('close', () => resolve())) }
  }

  for (const [who, sent] of [
    ['says nothing', ''],
    ['stops in the head of a request', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-le'],
  ] as const) {
    it(`cuts off who ${who}`, async () => {
      const { closed } = await open({ headMs: SOON_MS }, sent)
      await closed
    })
  }

  it('cuts off who does not come to the end of a body, also of a request that has none', async () => {
    for (const method of ['POST', 'GET']) {
      const { closed } = await open(
        { headMs: SOON_MS, requestMs: SOON_MS },
        `${method} / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
      )
      await closed
      await server.close()
    }
  })

  it('cuts off who does not read his answer', async () => {
    const { closed } = await open({ stalledMs: SOON_MS }, ASK.replace('slow', 'long'))
    await closed
  })

  it('cuts off who asks nothing more', async () => {
    const { client, closed } = await open({ stalledMs: SOON_MS }, ASK.replace('slow', 'none'))
    client.resume()
    await closed
  })

  it('waits with a client for an answer that takes long', async () => {
    const { client } = await open({ stalledMs: SOON_MS }, ASK)
    const [answer] = (await once(client, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [\s\S]*done$/)
  })
})
