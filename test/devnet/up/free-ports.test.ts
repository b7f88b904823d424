import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { isArchiveError } from '../../../core/index.ts'
import { canListenOn, choosePorts } from '../../../devnet/up/free-ports.ts'

describe('devnet/up/free-ports', () => {
  let holder: Server
  let taken: number

  beforeEach(async () => {
    holder = createServer()
    await new Promise<void>((resolve) => holder.listen({ host: '127.0.0.1', port: 0 }, resolve))
    const address = holder.address()
    assert(typeof address === 'object' && address)
    taken = address.port
  })

  afterEach(() => holder.close())

  it('error: names each port that is taken, and what it is for', async () => {
    await assert.rejects(choosePorts([{ purpose: 'gRPC of the node', port: taken }], false), (error) => {
      assert(isArchiveError(error, 'DEVNET_PORT_BUSY'))
      assert.match(error.message, new RegExp(`${taken} \\(gRPC of the node\\)`))
      return true
    })
  })

  it('takes others where it may, each once', async () => {
    const wishes = [1, 2, 3].map((place) => ({ purpose: `place ${place}`, port: taken }))
    const ports = await choosePorts(wishes, true)
    assert.equal(new Set(ports).size, 3)
    assert.equal(ports.includes(taken), false)
  })

  it('tells the addresses of this machine apart', async () => {
    // Another address may not exist here (macOS); then it has no free port, and none is found to be.
    const elsewhere = { purpose: 'peers of sidecar 1', port: taken, host: '127.2.0.1' }
    if (!(await canListenOn(elsewhere.host))) return
    assert.deepEqual(await choosePorts([elsewhere], false), [taken])
    const other = createServer()
    await new Promise<void>((resolve) => other.listen({ host: elsewhere.host, port: taken }, resolve))
    try {
      await assert.rejects(choosePorts([elsewhere], false), { code: 'DEVNET_PORT_BUSY' })
      const [chosen] = await choosePorts([elsewhere], true)
      assert.notEqual(chosen, taken)
    } finally {
      other.close()
    }
  })

  it('takes what is free', async () => {
    const [free = 0] = await choosePorts([{ purpose: 'any', port: taken }], true)
    assert.deepEqual(await choosePorts([{ purpose: 'that one', port: free }], false), [free])
  })
})
