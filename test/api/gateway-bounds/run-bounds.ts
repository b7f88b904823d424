// `npm run gateway-bounds`: a sidecar that archives a devnet at eight times its pace, beside clients without manners. Says what memory, lag
// and answers do meanwhile, and exits 1 when they do not hold.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ALLOCATOR_SETTINGS, HEAP_SETTINGS } from '../../../cli/allocator-settings.ts'
import { choosePorts } from '../../../devnet/up/free-ports.ts'
import { CONTROL_TOKEN_ENV } from '../../../devnet/up/index.ts'
import { startCli } from '../../e2e/run-cli.ts'
import { Load } from './load.ts'

const LIMIT_MS = 1_200_000
const TOKEN = 'bounds'
/** Enough that readers of all of it fill what the system keeps for them. */
const PERIODS = Number(process.env.PERIODS ?? 1_000)
const PHASE_MS = Number(process.env.PHASE_SECONDS ?? 60) * 1_000
const LOOK_MS = 500
/** What its heap varies by from one look to the next; what is kept of each round of clients would come to more. */
const PLATEAU_MB = 30

const names = ['grpc', 'json-rpc', 'control', 'api', 'metrics'] as const
const ports = await choosePorts(
  names.map((purpose) => ({ purpose, port: 0 })),
  true,
)
const [grpc, jsonRpc, control, api = 0, metrics] = ports
const cwd = mkdtempSync(join(tmpdir(), 'gateway-bounds-'))
const startNode = (speed: string) =>
  startCli(
    [
      ...['devnet', 'node', '--speed', speed, '--endorsements', '1', '--data-dir', 'node'],
      ...['--grpc-port', `${grpc}`, '--json-rpc-port', `${jsonRpc}`, '--control-port', `${control}`],
    ],
    { cwd, env: { [CONTROL_TOKEN_ENV]: TOKEN }, limitMs: LIMIT_MS },
  )
const get = async (path: string) => (await fetch(`http://127.0.0.1:${api}${path}`)).json()

interface Status {
  readonly archived: { readonly first: number; readonly last: number } | null
  readonly lagPeriods?: number
}

interface Sample {
  readonly lag: number
  readonly residentMb: number
  /** Without files that are mapped: the tables of the databases, which the system takes away when it needs room. */
  readonly ownMb: number
  readonly answerMs: number
  readonly descriptors: number
}

let node = startNode('turbo')
await node.waitFor('control at')
const report = await fetch(`http://127.0.0.1:${control}/control`, { headers: { authorization: `Bearer ${TOKEN}` } })
const { genesisTimestampMs } = (await report.json()) as { genesisTimestampMs: number }
const sidecar = startCli(['start', '--log-format', 'json'], {
  cwd,
  env: {
    // As the command itself starts Node.
    ...ALLOCATOR_SETTINGS,
    NODE_OPTIONS: HEAP_SETTINGS.join(' '),
    MASSA_STORAGE_ENABLED: 'true',
    MASSA_STORAGE_DATA_DIR: 'archive',
    MASSA_STORAGE_RETENTION_PERIODS: '0',
    MASSA_STORAGE_NODE__GRPC_URLS: `127.0.0.1:${grpc}`,
    MASSA_STORAGE_NODE__CHAIN_ID: '77',
    MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: `${genesisTimestampMs}`,
    MASSA_STORAGE_API__BIND: `127.0.0.1:${api}`,
    MASSA_STORAGE_METRICS__BIND: `127.0.0.1:${metrics}`,
    MASSA_STORAGE_STORE__BALLAST_BYTES: '1048576',
    MASSA_STORAGE_LOG__LEVEL: 'warn',
  },
  limitMs: LIMIT_MS,
})
const pid = sidecar.child.pid ?? 0
let isOver = false
/** First archived period. */
let first = 0
void sidecar.ended.then(() => {
  isOver = true
})

async function look(period: number): Promise<Sample> {
  const { lagPeriods } = (await get('/v1/status')) as Status
  const beganMs = performance.now()
  await get(`/v1/periods/${period}?proof=true`)
  const answerMs = performance.now() - beganMs
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8')
  const readMb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(memory)?.[1]) / 1_024
  const descriptors = readdirSync(`/proc/${pid}/fd`).length
  const [residentMb, ownMb] = [readMb('VmRSS'), readMb('RssAnon')]
  return { lag: lagPeriods ?? Number.NaN, residentMb, ownMb, answerMs, descriptors }
}

async function measure(name: string, open: () => number) {
  const samples: Sample[] = []
  let most = 0
  for (const untilMs = performance.now() + PHASE_MS; performance.now() < untilMs; ) {
    samples.push(await look(first + (samples.length % PERIODS)))
    most = Math.max(most, open())
    await sleep(LOOK_MS)
  }
  const of = (pick: (sample: Sample) => number) => samples.map(pick).sort((a, b) => a - b)
  const [lags, residents, owns, answers, descriptors] = [
    of((s) => s.lag),
    of((s) => s.residentMb),
    of((s) => s.ownMb),
    of((s) => s.answerMs),
    of((s) => s.descriptors),
  ]
  const at = (list: readonly number[], share: number) =>
    list[Math.min(list.length - 1, Math.floor(share * list.length))] ?? Number.NaN
  const row = {
    phase: name,
    connections: most,
    'lag p50': at(lags, 0.5),
    'lag max': at(lags, 1),
    'MB first': Math.round(samples[0]?.residentMb ?? 0),
    'MB max': Math.round(at(residents, 1)),
    'MB last': Math.round(samples.at(-1)?.residentMb ?? 0),
    'own MB p50': Math.round(at(owns, 0.5)),
    'proof p50 ms': Math.round(at(answers, 0.5)),
    'proof p95 ms': Math.round(at(answers, 0.95)),
    'descriptors max': at(descriptors, 1),
  }
  console.log(JSON.stringify(row))
  return row
}

/** Who comes, one kind after the other. */
function clients(): readonly (readonly [string, (load: Load) => void])[] {
  return [
    ['1,000 idle connections', (load) => load.idle(1_000)],
    ['and 200 readers of events who never read', (load) => load.neverRead(200, `/v1/stream/final?from=${first}`)],
    [
      'and header floods, exports never read, false requests',
      (load) => {
        load.flood(50)
        load.neverRead(50, `/v1/export?from=${first}&to=${first + PERIODS - 1}`)
        load.ask(4, () => [
          [`/chunk/${'0'.repeat(64)}`, { range: 'bytes=9999999-' }],
          [`/period/${first}`, { range: 'bytes=99999999-' }],
          ['/v1/blocks/..%2f..%2fetc%2fpasswd', {}],
          [`/v1/search?q=${'x'.repeat(5_000)}`, {}],
          ['/v1/addresses/AU1/operations?limit=1000000', {}],
          [`/v1/periods/${first}?proof=true`, {}],
        ])
      },
    ],
  ]
}

const rows = []
try {
  for (let last = 0; last - first + 1 < PERIODS; await sleep(1_000)) {
    if (isOver) throw new Error('the sidecar ended')
    const { archived } = (await get('/v1/status').catch(() => ({ archived: null }))) as Status
    if (archived) ({ first, last } = archived)
  }
  node.child.kill('SIGTERM')
  await node.ended
  node = startNode('8')
  await node.waitFor('control at')
  await sleep(20_000)
  rows.push(await measure('alone', () => 0))
  const load = new Load(api)
  for (const [name, begin] of clients()) {
    begin(load)
    rows.push(await measure(name, () => load.open))
  }
  console.log(JSON.stringify(Object.fromEntries([...load.counts].sort())))
  await load.end()
  rows.push(await measure('alone again', () => load.open))
  // What is kept of clients who are gone would be kept a second time.
  const again = new Load(api)
  for (const [, begin] of clients()) begin(again)
  rows.push(await measure('all of it once more', () => again.open))
  await again.end()
  rows.push(await measure('alone once more', () => again.open))
  console.table(rows)
} finally {
  for (const running of [sidecar, node]) running.child.kill('SIGTERM')
  const ended = await sidecar.ended
  await node.ended
  if (ended.code !== 0) console.log(ended.stdout.slice(-2_000), ended.stderr.slice(-2_000))
  rmSync(cwd, { recursive: true, force: true })
}
const [alone] = rows
const lagBound = (alone?.['lag max'] ?? 0) + 2
const memoryBound = (alone?.['MB max'] ?? 0) + 200
const [after, afterAgain] = [rows.at(-3), rows.at(-1)]
const plateau = (after?.['own MB p50'] ?? 0) + PLATEAU_MB
const isHeld =
  rows.length === 7 &&
  rows.every((row) => row['lag max'] <= lagBound && row['MB max'] <= memoryBound) &&
  (afterAgain?.['own MB p50'] ?? Number.POSITIVE_INFINITY) <= plateau
const bounds = `lag within ${lagBound}, memory within ${memoryBound} MB, own memory at the end within ${plateau} MB`
console.log(isHeld ? `held: ${bounds}` : `not held: ${bounds}`)
process.exitCode = isHeld ? 0 : 1
