import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../../core/index.ts'
import { callLocalApi, type LocalApi, startLocalApi } from '../../../devnet/local-api.ts'
import { findRunning, removeAbandoned } from '../../../devnet/up/find-running.ts'
import { Network } from '../../../devnet/up/network.ts'
import { startNetworkApi } from '../../../devnet/up/network-api.ts'
import { makeTemporaryDirectory, NetworkFiles } from '../../../devnet/up/network-files.ts'
import { runNetwork } from '../../../devnet/up/run-network.ts'
import { SetClock } from '../set-clock.ts'

const TOKEN = 'a token'
const TIMEOUT_MS = 50
const PROGRAM = { nodeArguments: [], env: {} }

/** Takes connections and says nothing: as a process that stands still. */
class SilentServer {
  private readonly sockets = new Set<Socket>()
  private readonly server: Server = createServer((socket) => {
    this.sockets.add(socket)
    socket.on('error', () => {})
  })

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen({ host: '127.0.0.1', port }, resolve))
    const address = this.server.address()
    assert(typeof address === 'object' && address)
    return `http://127.0.0.1:${address.port}`
  }

  close(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }
}

describe('devnet/up/find-running', () => {
  let dir: string
  let silent: SilentServer
  let api: LocalApi | undefined
  const { TMPDIR } = process.env

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-running-'))
    mkdirSync(join(dir, 'tmp'))
    process.env.TMPDIR = join(dir, 'tmp')
    silent = new SilentServer()
  })

  afterEach(async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    silent.close()
    await api?.close()
    api = undefined
    rmSync(dir, { recursive: true, force: true })
  })

  function findEndedPid(): number {
    return spawnSync(process.execPath, ['--version']).pid
  }

  function writeRunning(directory: string, url: string, pid = process.pid): void {
    const node = { url, token: TOKEN, grpcPort: 1, jsonRpcPort: 1 }
    new NetworkFiles(directory).writeRunning({ version: 1, pid, url, token: TOKEN, node })
  }

  it('finds a network whose node does not answer, without asking the node', async () => {
    const routes = { 'GET /alive': () => {}, 'GET /network': () => new Promise(() => {}) }
    api = await startLocalApi({ port: 0, token: TOKEN }, routes)
    writeRunning(dir, api.url)
    assert.equal((await findRunning(dir, 5_000)).running.url, api.url)
    const modules = {
      program: PROGRAM,
      clock: new SetClock(),
      listener: { onStep: () => {}, onReady: () => {}, onReport: () => {} },
    }
    const second = runNetwork(
      { directory: dir, sidecars: 1, speed: 8, autoPorts: true },
      modules,
      new AbortController().signal,
    )
    await assert.rejects(second, (error) => isArchiveError(error, 'DEVNET_RUNNING'))
  })

  it('takes one that is slow for running, as long as its process is there', async () => {
    const url = await silent.listen()
    writeRunning(dir, url)
    assert.equal((await findRunning(dir, TIMEOUT_MS)).running.url, url)
    writeRunning(dir, url, findEndedPid())
    await assert.rejects(findRunning(dir, TIMEOUT_MS), (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
  })

  it('deletes what a killed network has left, and nothing of one that is slow', async () => {
    const [slow, killed] = [makeTemporaryDirectory(), makeTemporaryDirectory()]
    writeRunning(slow, await silent.listen())
    writeRunning(killed, 'http://127.0.0.1:1', findEndedPid())
    await removeAbandoned(TIMEOUT_MS)
    assert.deepEqual([existsSync(slow), existsSync(killed)], [true, false])
  })

  it('error: says that a time-out is no proof of an end', async () => {
    const access = { url: await silent.listen(), token: TOKEN }
    await assert.rejects(callLocalApi(access, 'GET /any', { timeoutMs: TIMEOUT_MS }), (error) =>
      isArchiveError(error, 'DEVNET_NO_ANSWER'),
    )
  })

  it('shows a network whose node stands still before a reader gives up', async () => {
    const files = new NetworkFiles(join(dir, 'net'))
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    await silent.listen(Number(new URL(network.nodeAccess.url).port))
    api = await startNetworkApi(network, TOKEN, () => {})
    const access = { url: api.url, token: TOKEN }
    const report = (await callLocalApi(access, 'GET /network', { timeoutMs: 4_000 })) as { node: { state: string } }
    assert.equal(report.node.state, 'stopped')
    const kill = callLocalApi(access, 'POST /kill', { body: { name: 'node' } })
    await assert.rejects(kill, (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
  })
})
