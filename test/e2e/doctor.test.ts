import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NodeClient } from '../../archiver/index.ts'
import { type ReplayServer, readRecording, startReplayServer } from '../../devnet/index.ts'
import { KEY_FILES, readOrCreateKey, SCHEMA_VERSION } from '../../storage-worker/index.ts'
import { type StoredIdentity, writeIdentity } from '../../storage-worker/store-identity.ts'
import { CliHost } from './cli-host.ts'
import { runCli } from './run-cli.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/sandbox/${name}`, import.meta.url))

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}

interface Answer {
  readonly code: number | null
  /** The first one. */
  find(check: string): Finding
  findAll(check: string): Finding[]
}

describe('e2e/doctor', function () {
  this.timeout(60_000)
  let host: CliHost
  let dir: string
  const servers: ReplayServer[] = []

  before(() => {
    host = new CliHost()
  })

  after(() => host.stop())

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-doctor-'))
  })

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  /** A node at recorded speed, as a newcomer would have it. */
  async function serve(name: string): Promise<string> {
    const server = await startReplayServer({ recording: await readRecording(fixture(name)), speed: 40 })
    servers.push(server)
    return server.url
  }

  async function ask(settings: Record<string, string>, dataDir = 'archive'): Promise<Answer> {
    const args = Object.entries({
      enabled: 'true',
      'node.chain_id': '77',
      'node.genesis_timestamp_ms': '1795246964000',
      'api.bind': '127.0.0.1:0',
      'metrics.bind': '127.0.0.1:0',
      ...settings,
    }).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const { code, stdout, stderr } = await host.run(['doctor', '--json', '--data-dir', dataDir, ...args], {
      cwd: dir,
    })
    assert.notEqual(stdout, '', stderr)
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    return {
      code,
      findAll: (check) => findings.filter((candidate) => candidate.check === check),
      find: (check) => {
        const finding = findings.find((candidate) => candidate.check === check)
        assert.ok(finding, `no finding '${check}' in ${stdout}`)
        return finding
      },
    }
  }

  it('hears the streams of a node that broadcasts', async () => {
    const { find } = await ask({ 'node.grpc_urls': await serve('push.ndjson.gz') })
    assert.equal(find('massa-node').ok, true)
    assert.equal(find('network').ok, true)
    assert.equal(find('streams').fix, undefined)
  })

  it('names the line that makes a silent node broadcast', async () => {
    const { find } = await ask({ 'node.grpc_urls': await serve('pull.ndjson.gz'), 'node.genesis_timestamp_ms': '1' })
    assert.match(find('streams').fix ?? '', /enable_broadcast = true/)
  })

  it('does not take an idle chain for a node that does not broadcast', async () => {
    const server = await startReplayServer({ recording: await readRecording(fixture('push.ndjson.gz')), speed: 1e6 })
    servers.push(server)
    const client = new NodeClient({ url: server.url, timeoutMs: 5_000 })
    await client.getStatus()
    client.close()
    await server.atHead
    const { find } = await ask({ 'node.grpc_urls': server.url })
    assert.match(find('streams').detail, /stands still/)
    assert.equal(find('streams').fix, undefined)
  })

  it('names the two numbers of the network that a node is on', async () => {
    const { code, find } = await ask({ 'node.grpc_urls': await serve('push.ndjson.gz'), 'node.chain_id': '78' })
    assert.equal(code, 1)
    assert.match(find('network').fix ?? '', /^chain_id = 77 and genesis_timestamp_ms = 1795246964000, if/)
  })

  it('says that such a network needs another data_dir, where that holds an archive of another one', async () => {
    const url = await serve('push.ndjson.gz')
    const archive = join(dir, 'archive')
    mkdirSync(archive)
    const hold = (chainId: bigint) => {
      const identity = { network: { chainId, genesisTimestampMs: 1_795_246_964_000n }, chunkSizeBytes: 1_048_576 }
      return writeIdentity(archive, { identity, schemaVersion: SCHEMA_VERSION })
    }
    const adviceOf = async () => {
      const { find } = await ask({ 'node.grpc_urls': url, 'node.chain_id': '78' })
      return find('network').fix ?? ''
    }
    await hold(78n)
    assert.match(
      await adviceOf(),
      /and another data_dir \(this one holds an archive of chain 78, genesis 1795246964000\)/,
    )
    await hold(77n)
    assert.doesNotMatch(await adviceOf(), /data_dir/)
  })

  it('says that a node does not answer', async () => {
    const { code, find } = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
    assert.equal(code, 1)
    assert.equal(find('massa-node').ok, false)
    assert.match(find('massa-node').fix ?? '', /grpc_urls/)
  })

  it('finds a port that another program uses', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { code, find, findAll } = await ask({ 'node.grpc_urls': '127.0.0.1:1', 'api.bind': `127.0.0.1:${port}` })
    other.close()
    assert.equal(code, 1)
    assert.match(find('port').fix ?? '', /api\.bind=127\.0\.0\.1:0/)
    assert.deepEqual(
      findAll('port').map(({ detail }) => detail),
      [`api.bind = 127.0.0.1:${port} is in use by another program`, 'metrics.bind = 127.0.0.1:0 is free'],
    )
  })

  it('finds a data directory that cannot be one', async () => {
    writeFileSync(join(dir, 'archive'), 'a file')
    const { code, find } = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
    assert.equal(code, 1)
    assert.equal(find('data_dir').ok, false)
  })

  describe('of an archive', () => {
    const network = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }
    const made = { identity: { network, chunkSizeBytes: 1_048_576 }, schemaVersion: SCHEMA_VERSION }

    async function makeArchive(stored: StoredIdentity = made): Promise<void> {
      mkdirSync(join(dir, 'archive'))
      await writeIdentity(join(dir, 'archive'), stored)
    }

    it('finds nothing wrong with its own, keys included', async () => {
      await makeArchive()
      await readOrCreateKey(join(dir, 'archive'), 'archiver.key')
      const { find } = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
      assert.equal(find('archive').ok, true)
      assert.equal(find('key').ok, true)
    })

    it('names the chunk_size and the network that it was made with', async () => {
      await makeArchive({ ...made, identity: { network: { ...network, chainId: 78n }, chunkSizeBytes: 4096 } })
      const { code, findAll } = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
      assert.equal(code, 1)
      const [chain, chunk] = findAll('archive')
      assert.match(chain?.fix ?? '', /--set node\.chain_id=78'/)
      assert.match(chunk?.fix ?? '', /'chunk_size = 4_096' below \[distributed_storage\]/)
    })

    for (const [name, schemaVersion, action] of [
      ['newer', SCHEMA_VERSION + 1, /Upgrade massa-storage/],
      ['too old', 0, /intermediate release/],
    ] as const) {
      it(`finds that its layout is ${name}`, async () => {
        await makeArchive({ ...made, schemaVersion })
        const { code, find } = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
        assert.equal(code, 1)
        assert.match(find('archive').fix ?? '', action)
      })
    }

    for (const file of KEY_FILES) {
      it(`finds a ${file} that others may read, and one that is no key`, async () => {
        await makeArchive()
        const path = join(dir, 'archive', file)
        await readOrCreateKey(join(dir, 'archive'), file)
        chmodSync(path, 0o640)
        const readable = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
        assert.equal(readable.code, 1)
        assert.equal(readable.find('key').fix, `chmod 600 ${path}`)
        writeFileSync(path, 'no key')
        chmodSync(path, 0o600)
        const broken = await ask({ 'node.grpc_urls': '127.0.0.1:1' })
        assert.match(broken.find('key').fix ?? '', /verify --repair/)
      })
    }
  })

  for (const [name, link, dataDir] of [
    ['is a link to nothing', 'archive', 'archive'],
    ['lies behind one', 'link', 'link/deep/archive'],
  ] as const) {
    it(`finds a data directory that ${name}`, async () => {
      symlinkSync('gone', join(dir, link))
      const { code, find } = await ask({ 'node.grpc_urls': '127.0.0.1:1' }, dataDir)
      assert.equal(code, 1)
      assert.equal(find('data_dir').ok, false)
      assert.equal(find('data_dir').fix, `mkdir -p ${join(dir, 'gone')}`)
    })
  }

  it('says what a fresh machine lacks', async () => {
    const { code, stdout } = await runCli(['doctor'], { cwd: dir })
    assert.equal(code, 1)
    assert.match(stdout, /FAIL enabled .*\n.*enabled = true/)
    assert.match(stdout, /FAIL nodes .*\n.*grpc_urls = \["127\.0\.0\.1:33037"\]/)
  })
})
