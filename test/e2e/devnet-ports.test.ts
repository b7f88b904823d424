import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { configOf } from '../../devnet/up/index.ts'
import { Network } from '../../devnet/up/network.ts'
import { NetworkFiles } from '../../devnet/up/network-files.ts'
import { NodeLink } from '../../devnet/up/node-link.ts'
import { Sidecar } from '../../devnet/up/sidecar.ts'

const PROGRAM = { nodeArguments: [], env: process.env }

/** Somebody takes a port after it was found to be free, and before the process that is to have it is there. */
describe('e2e/devnet-ports', function () {
  this.timeout(60_000)
  let dir: string
  const holders: Server[] = []

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-ports-'))
  })

  afterEach(() => {
    for (const holder of holders.splice(0)) holder.close()
    rmSync(dir, { recursive: true, force: true })
  })

  /** @param port - 0 takes any; @returns it */
  async function hold(port: number): Promise<number> {
    const holder = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => holder.listen({ host: '127.0.0.1', port }, resolve))
    holders.push(holder)
    const address = holder.address()
    assert(typeof address === 'object' && address)
    return address.port
  }

  /** Up to its first step, the node, and down again. @returns why it did not go on */
  async function bringUpNode(network: Network, ending: AbortController): Promise<unknown> {
    try {
      await network.up(ending.signal)
    } catch (error) {
      return error
    } finally {
      await network.down()
    }
  }

  async function open(autoPorts: boolean) {
    const ending = new AbortController()
    const said: string[] = []
    const onStep = (_step: string, text: string) => {
      said.push(text)
      ending.abort()
    }
    const modules = { files: new NetworkFiles(join(dir, 'net')), program: PROGRAM, clock: systemClock, onStep }
    const options = { sidecars: 1, speed: 8, autoPorts: true, nodeArguments: ['--endorsements', '1'] }
    const network = await Network.open(options, modules)
    // Not before: the usual ports may be in use by somebody else now.
    options.autoPorts = autoPorts
    return { network, ending, said }
  }

  it('a node whose ports were taken has others with --auto-ports, and all know where it is', async () => {
    const { network, ending, said } = await open(true)
    const { grpcPort, url } = network.nodeAccess
    await hold(grpcPort)
    const control = await hold(Number(new URL(url).port))
    await bringUpNode(network, ending)
    const { grpcPort: moved, url: movedUrl } = network.nodeAccess
    assert.notEqual(moved, grpcPort)
    assert.notEqual(Number(new URL(movedUrl).port), control)
    assert.deepEqual(said, [`gRPC 127.0.0.1:${moved}, JSON-RPC ${network.link.jsonRpcUrl}`])
  })

  it('error: without --auto-ports the one that was taken is named, and nothing keeps running', async () => {
    const { network, ending, said } = await open(false)
    const taken = await hold(network.nodeAccess.grpcPort)
    const error = await bringUpNode(network, ending)
    assert(isArchiveError(error, 'DEVNET_PORT_BUSY'), String(error))
    assert.match(error.message, new RegExp(`${taken} \\(gRPC of the node\\)`))
    assert.deepEqual(said, [])
    assert.equal((await network.report()).node.pid, undefined)
  })

  it('a sidecar whose port was taken has another, also in its configuration', async () => {
    const ports = { api: await hold(0), metrics: await hold(0), p2p: await hold(0) }
    const directory = join(dir, 'sidecar-1')
    const nowhere = { url: 'http://127.0.0.1:1', token: '', grpcPort: 1, jsonRpcPort: 1 }
    const link = new NodeLink(nowhere, systemClock)
    const place = { directory, link, chainId: 77n, genesisTimestampMs: 1_700_000_000_000, speed: 8 }
    const sidecar = new Sidecar(
      {
        ...{ name: 'sidecar-1', address: '', isRegistered: false, password: '', log: join(dir, 'log') },
        ...{ place, ports, takesOtherPorts: true },
      },
      { program: PROGRAM, clock: systemClock },
    )
    sidecar.process.start()
    try {
      while ((await sidecar.report()).state !== 'waiting') await systemClock.sleep(20)
      assert.equal(sidecar.process.restarts, 0)
      const config = readFileSync(configOf(directory), 'utf8')
      assert.match(config, new RegExp(`bind = "${new URL(sidecar.apiUrl).host}"`))
      assert(!config.includes(`:${ports.api}"`) && !config.includes(`:${ports.metrics}"`))
    } finally {
      await sidecar.process.stop()
    }
  })
})
