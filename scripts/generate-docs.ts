// Writes what is generated from code: docs/ERRORS.md, docs/CONFIG.md, docs/METRICS.md, docs/openapi.json and config/config.lock.toml; and from
// recordings docs/DEVNET_EVIDENCE.md.
// With --check it writes nothing, names the files that are stale and exits 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fastify } from 'fastify'
import { stringify } from 'smol-toml'
import { addGatewayRoutes } from '../api/gateway/gateway.ts'
import { envNameOf, findPackageRoot, listSettings, loadConfig, readBaseSettings } from '../config/index.ts'
import { ERROR_CODES } from '../core/index.ts'
import { listMetrics } from '../telemetry/index.ts'
import { renderEvidence } from './render-evidence.ts'

const COMMAND = 'npm run docs'

const KIND_SENTENCES = {
  input: 'what was given is wrong; trying again does not help',
  transient: 'goes away by itself; it is tried again',
  permanent: 'stays until someone does something',
  bug: 'a fault of massa-storage; please report it with the stack trace',
} as const

function generatedNote(source: string): string {
  return `<!-- Generated from ${source} by \`${COMMAND}\`. Do not edit. -->`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

function renderErrors(): string {
  const rooms = new Map<string, string[][]>()
  for (const [code, { kind, when, action }] of Object.entries(ERROR_CODES)) {
    const room = code.slice(0, code.indexOf('_')).toLowerCase()
    const rows = rooms.get(room) ?? []
    rows.push([`\`${code}\``, kind, when, action])
    rooms.set(room, rows)
  }
  return [
    '# Errors',
    '',
    generatedNote('core/error-codes.ts'),
    '',
    'Codes are stable: programs may look at them. Messages are for people and may change. The kind says what to expect:',
    '',
    ...Object.entries(KIND_SENTENCES).map(([kind, sentence]) => `- **${kind}**: ${sentence}.`),
    ...[...rooms].flatMap(([room, rows]) => [
      '',
      `## ${room}`,
      '',
      ...table(['code', 'kind', 'when', 'what to do'], rows),
    ]),
    '',
  ].join('\n')
}

function renderConfig(): string {
  const base = readBaseSettings()
  const tables = new Map<string, string[][]>()
  for (const { path, allowed } of listSettings()) {
    const setting = base.get(path)
    if (setting === undefined) throw new Error(`base_config.toml lacks ${path}`)
    const dot = path.lastIndexOf('.')
    const name = dot < 0 ? 'distributed_storage' : `distributed_storage.${path.slice(0, dot)}`
    const rows = tables.get(name) ?? []
    rows.push([
      `\`${path.slice(dot + 1)}\``,
      `\`${setting.defaultText}\``,
      setting.comment,
      allowed,
      `\`${envNameOf(path)}\``,
    ])
    tables.set(name, rows)
  }
  return [
    '# Configuration',
    '',
    generatedNote('config/base_config.toml and config/schema.ts'),
    '',
    'Later wins: the defaults below < the file < environment variables < flags. The file is the one of `--config`, else of',
    '`MASSA_STORAGE_CONFIG`, else `config/config.toml` below the working directory if there is one. It may be the',
    '`config.toml` of a massa-node: other tables are left alone. Inside `[distributed_storage]` an unknown key is refused.',
    '`massa-storage config init` writes that table into a file and touches no other, `massa-storage config show --origin` shows where each value comes from.',
    '',
    'In an environment variable a list is separated by commas and a list of tables is written as in TOML.',
    ...[...tables].flatMap(([name, rows]) => [
      '',
      `## [${name}]`,
      '',
      ...table(['key', 'default', 'meaning', 'allowed', 'environment variable'], rows),
    ]),
    '',
  ].join('\n')
}

function renderMetricsPage(): string {
  const rows = listMetrics().map(({ name, type, unit, help, labels }) => {
    const shownLabels = Object.entries(labels ?? {}).map(([label, values]) =>
      typeof values === 'string'
        ? `\`${label}\`: ${values}`
        : `\`${label}\`: ${values.map((v) => `\`${v}\``).join(', ')}`,
    )
    return [`\`${name}\``, type, unit, help, shownLabels.join('; ')]
  })
  return [
    '# Metrics',
    '',
    generatedNote('telemetry/metrics.ts'),
    '',
    'Prometheus text at `http://127.0.0.1:31251/metrics` (`[distributed_storage.metrics]`). Counters begin at 0 with each',
    'start of the process. Beside these there are memory, CPU, event loop lag and garbage collection of the process, as',
    'prom-client names them, with the prefix `massa_storage_` (such as `massa_storage_nodejs_eventloop_lag_p99_seconds`).',
    '',
    ...table(['metric', 'type', 'unit', 'meaning', 'labels'], rows),
    '',
  ].join('\n')
}

/** As the gateway of a sidecar gives it: of no archive, since it speaks of none. */
async function renderOpenApi(): Promise<string> {
  const server = fastify()
  addGatewayRoutes(server, { history: undefined, store: {} as never })
  const { body } = await server.inject({ method: 'GET', url: '/v1/openapi.json' })
  await server.close()
  return `${body}\n`
}

function renderConfigLock(): string {
  // No file is looked for below a folder that cannot exist.
  const { settings } = loadConfig({ env: {}, flags: {}, cwd: '/dev/null' })
  return `# The defaults as the schema resolves them. Generated by \`${COMMAND}\`: a change here belongs into CHANGELOG.md.\n\n${stringify({ distributed_storage: settings })}`
}

const FILES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/ERRORS.md': renderErrors,
  'docs/CONFIG.md': renderConfig,
  'docs/METRICS.md': renderMetricsPage,
  'docs/openapi.json': renderOpenApi,
  'docs/DEVNET_EVIDENCE.md': () =>
    renderEvidence(root, generatedNote('the recordings in test/fixtures and compared.json beside them'), table),
  'config/config.lock.toml': renderConfigLock,
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const root = findPackageRoot()
const isCheck = process.argv.includes('--check')
const stale: string[] = []
for (const [name, render] of Object.entries(FILES)) {
  const path = join(root, name)
  const text = await render()
  if (readIfPresent(path) === text) continue
  stale.push(name)
  if (isCheck) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
if (isCheck && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run \`${COMMAND}\``)
  process.exitCode = 1
} else if (!isCheck) {
  console.log(stale.length === 0 ? 'nothing to do' : `wrote ${stale.join(', ')}`)
}
