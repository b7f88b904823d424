import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkRegistry } from '../../cli/check-registry.ts'
import type { Context } from '../../cli/context.ts'
import { Output } from '../../cli/output.ts'
import { loadConfig } from '../../config/index.ts'
import { type Face, GENESIS_MS, makeWallet, SteppedClock, startFace } from '../devnet/node/face.ts'
import { REGISTRY } from '../storage-worker/placement/made-registry.ts'

const NODE = makeWallet('node')
const ADDRESS = 'AU115uNvG8LnjT6aEnbwC8A8avCbVJ2ciXzZgyEMLiJeyXKB12M4'
const WALLET = new URL(`../fixtures/wallet/wallet_${ADDRESS}.yaml`, import.meta.url)

/** With a registry: cli/node-register. */
describe('cli/check-registry', () => {
  let face: Face
  let dir: string
  let keyFile: string

  before(async () => {
    face = await startFace(new SteppedClock(), [NODE])
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-doctor-registry-'))
    keyFile = join(dir, 'key')
    writeFileSync(keyFile, NODE.secret)
  })

  beforeEach(() => chmodSync(keyFile, 0o600))

  after(async () => {
    rmSync(dir, { recursive: true })
    await face.close()
  })

  async function check(flags: Record<string, string | number | boolean> = {}) {
    const stream = { write: () => true } as unknown as NodeJS.WriteStream
    const output = new Output({ json: true, quiet: true, noColor: true, stdout: stream, stderr: stream })
    const base = {
      storage_registry_address: REGISTRY,
      'p2p.enabled': true,
      'node.chain_id': 77,
      'node.genesis_timestamp_ms': GENESIS_MS,
      'contract.json_rpc_url': face.url,
      'contract.key_file': keyFile,
    }
    const loaded = loadConfig({ cwd: dir, env: {}, flags: { ...base, ...flags } })
    return checkRegistry({ output, cwd: dir, env: {} } as unknown as Context, loaded)
  }

  it('nothing is wrong with an archive alone', async () => {
    const [finding] = await check({ storage_registry_address: '', 'contract.key_file': '' })
    assert.deepEqual(finding, { check: 'registry', ok: true, detail: 'none is configured: this only archives' })
  })

  for (const [code, fix, flags] of [
    ['CHAIN_PEERS_OFF', /p2p\.enabled = true/, { 'p2p.enabled': false }],
    ['CHAIN_KEY_MISSING', /massa-storage wallet create/, { 'contract.key_file': '' }],
    ['CHAIN_KEY_INVALID', /Correct what/, { 'contract.key_file': 'none' }],
    ['CHAIN_URL_MISSING', /json_rpc_url/, { 'contract.json_rpc_url': '' }],
    ['CHAIN_NETWORK_MISMATCH', /node\.chain_id/, { 'node.chain_id': 78 }],
    ['CONTRACT_NOT_FOUND', /storage_registry_address/, {}],
  ] as const) {
    it(`names ${code}, what to do, and that archiving goes on`, async () => {
      const findings = await check(flags)
      assert.equal(findings.length, 1)
      assert.equal(findings[0]?.ok, false)
      assert.match(findings[0].detail, new RegExp(`\\(${code}\\); archiving goes on$`))
      assert.match(findings[0].fix ?? '', fix)
    })
  }

  it('a bare key that others may read is refused, a wallet is warned of', async () => {
    chmodSync(keyFile, 0o640)
    const [bare] = await check()
    assert.deepEqual([bare?.check, bare?.ok], ['wallet', false])
    assert.match(bare?.detail ?? '', /key may be read by others: chmod 600 it \(CHAIN_KEY_INVALID\)/)
    const shared = join(dir, 'wallet.yaml')
    copyFileSync(WALLET, shared)
    chmodSync(shared, 0o640)
    const [wallet, registry] = await check({ 'contract.key_file': shared })
    assert.deepEqual([wallet?.check, wallet?.ok], ['wallet', false])
    assert.match(wallet?.detail ?? '', /may be read by others, who may then try passwords/)
    assert.match(registry?.detail ?? '', /CONTRACT_NOT_FOUND/)
  })
})
