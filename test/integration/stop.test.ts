import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MadeChain, ScriptedNode } from '../../devnet/index.ts'
import { CHAIN_ID, GENESIS_MS, makeTestChain, Stage } from '../archiver/follow-harness.ts'

const BIN = fileURLToPath(new URL('../../bin/massa-storage.js', import.meta.url))
const BUILT = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))
const STOP_LIMIT_MS = 10_000

describe('stopping while a node hangs', () => {
  const stage = new Stage()
  const children: ChildProcess[] = []
  let chain: MadeChain
  before(() => {
    chain = makeTestChain({ periods: 8, seed: 'stop' })
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await stage.clean()
  })

  for (const rpc of ['GetStatus', 'SearchBlocks', 'GetBlocks'] as const) {
    it(`followers end although ${rpc} never answers, with a deadline of ten minutes`, async () => {
      const node = await stage.node(chain, 4)
      const follow = await stage.follow([node], { timeoutMs: 600_000 })
      await follow.whenStreaming()
      node.intercept(rpc, () => 'hang')
      const calls = node.countOf(rpc)
      node.advanceTo({ period: 6, thread: 31 })
      await node.whenCalled(rpc, calls + 1)
      await follow.stop()
      assert.equal(follow.followers[0]?.status().up, false)
    })
  }

  it('SIGTERM: the built sidecar exits with 0 within ten seconds, be its nodes hanging in calls', async function () {
    this.timeout(40_000)
    if (!existsSync(BUILT)) assert.fail('build first: npm run build')
    const nodes = [new ScriptedNode({ chain }), new ScriptedNode({ chain })]
    const folder = await mkdtemp(join(tmpdir(), 'massa-storage-stop-'))
    try {
      for (const node of nodes) {
        node.intercept('GetStatus', () => 'hang')
        await node.start()
      }
      const config = join(folder, 'config.toml')
      await writeFile(
        config,
        [
          '[distributed_storage]',
          'enabled = true',
          `data_dir = ${JSON.stringify(join(folder, 'data'))}`,
          '[distributed_storage.node]',
          `grpc_urls = ${JSON.stringify(nodes.map((node) => node.url))}`,
          `chain_id = ${CHAIN_ID}`,
          `genesis_timestamp_ms = ${GENESIS_MS}`,
          'call_timeout_ms = 60_000',
          '[distributed_storage.store]',
          'ballast_bytes = 1_048_576',
          '[distributed_storage.api]',
          'bind = "127.0.0.1:0"',
          '[distributed_storage.metrics]',
          'enabled = false',
        ].join('\n'),
      )
      const child = spawn(process.execPath, [BIN, 'start', '--config', config, '--log-format', 'json'], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '' },
      })
      children.push(child)
      let output = ''
      child.stdout.on('data', (text: Buffer) => {
        output += text.toString()
      })
      child.stderr.on('data', (text: Buffer) => {
        output += text.toString()
      })
      const ended = once(child, 'exit')
      await Promise.race([
        Promise.all(nodes.map((node) => node.whenCalled('GetStatus'))),
        ended.then(() => assert.fail(`the sidecar ended by itself:\n${output}`)),
      ])
      const signalledMs = Date.now()
      child.kill('SIGTERM')
      const [code, signal] = await ended
      assert.deepEqual([code, signal], [0, null], output)
      assert.ok(Date.now() - signalledMs < STOP_LIMIT_MS, 'within the limit that the command promises')
      assert.match(output, /"msg":"stopped"/)
    } finally {
      for (const node of nodes) await node.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
