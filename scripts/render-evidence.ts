import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/* What of a recorded massa-node the tests replay against the devnet node, and how they compare: docs/DEVNET_EVIDENCE.md. */

interface Exchange {
  readonly case: string
  readonly request: string
  readonly response: string
}

interface GrpcCase {
  readonly case: string
  readonly rpc: string
  readonly error?: { readonly code: number; readonly details: string }
}

interface JsonRpcCompared {
  readonly byShape: Readonly<Record<string, string>>
}

interface GrpcCompared {
  readonly later: Readonly<Record<string, { readonly code: number; readonly details: string; readonly reason: string }>>
  readonly mayBeZero: Readonly<Record<string, string>>
  readonly ofTheNetwork: Readonly<Record<string, string>>
}

type Table = (head: readonly string[], rows: readonly (readonly string[])[]) => string[]

const FIXTURES = 'test/fixtures'

/** @param root - of the package; the recordings lie beside the tests */
export function renderEvidence(root: string, note: string, table: Table): string {
  const read = (path: string) => readFileSync(join(root, FIXTURES, path))
  const lines = <T>(path: string) =>
    gunzipSync(read(path))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T)
  const exchanges = lines<Exchange>('sandbox-jsonrpc/exchanges.ndjson.gz')
  const { byShape } = JSON.parse(read('sandbox-jsonrpc/compared.json').toString()) as JsonRpcCompared
  const cases = lines<GrpcCase>('sandbox-grpc/cases.ndjson.gz')
  const grpc = JSON.parse(read('sandbox-grpc/compared.json').toString()) as GrpcCompared
  return [
    '# The devnet node beside a recorded one',
    '',
    note,
    '',
    'Each request that a sandbox node (MAIN.3.0) was recorded with is sent to the devnet node by the tests, and what comes back is',
    'compared with what the node said. *Same text*: status, content type and every byte of the body. *Same shape*: status and content',
    'type, and in the body every field, its order and the kind of its value. *Same fields*: every field set or unset alike, in the',
    'same order, none written out that has its default. *Same error*: code and text. A case that is listed nowhere below is compared',
    'in the strictest of these ways.',
    '',
    '## JSON-RPC',
    '',
    `${exchanges.length} exchanges, \`test/devnet/node/json-rpc/recorded-exchanges.test.ts\`.`,
    '',
    ...table(['method', 'exchanges', 'same text', 'same shape'], countExchanges(exchanges, byShape)),
    '',
    'Compared by shape, because:',
    '',
    ...table(['case', 'reason'], listExchanges(exchanges, byShape)),
    '',
    '## gRPC',
    '',
    `${cases.length} calls, \`test/devnet/node/grpc/recorded-cases.test.ts\`.`,
    '',
    ...table(['call', 'cases', 'same fields', 'same error', 'otherwise'], countCases(cases, grpc)),
    '',
    'The rest:',
    '',
    ...table(['what', 'here', 'reason'], listRest(grpc)),
    '',
    'Filled blocks and slot outputs have the fields of two recorded runs, all of them and no others',
    '(`test/devnet/node/grpc/streams.test.ts`). What differs beyond the recorded cases is in',
    '[DEVNET_JSON_RPC](DEVNET_JSON_RPC.md) and [DEVNET_GRPC](DEVNET_GRPC.md).',
    '',
  ].join('\n')
}

function countExchanges(exchanges: readonly Exchange[], byShape: JsonRpcCompared['byShape']): string[][] {
  const methods = group(exchanges, ({ request }) => nameMethod(request))
  const row = (name: string, those: readonly Exchange[]) => {
    const shaped = those.filter((exchange) => exchange.case in byShape).length
    return [name, `${those.length}`, `${those.length - shaped}`, `${shaped}`]
  }
  return [...[...methods].map(([name, those]) => row(name, those)), row('all', exchanges)]
}

/** @throws Error for a reason without a case */
function listExchanges(exchanges: readonly Exchange[], byShape: JsonRpcCompared['byShape']): string[][] {
  const names = new Set(exchanges.map((exchange) => exchange.case))
  return Object.entries(byShape).map(([name, reason]) => {
    if (!names.has(name)) throw new Error(`no exchange is called '${name}'`)
    return [name, reason]
  })
}

function countCases(cases: readonly GrpcCase[], { later }: GrpcCompared): string[][] {
  const row = (name: string, those: readonly GrpcCase[]) => {
    const other = those.filter((one) => one.case in later).length
    const errors = those.filter((one) => !(one.case in later) && one.error !== undefined).length
    return [name, `${those.length}`, `${those.length - other - errors}`, `${errors}`, `${other}`]
  }
  const calls = group(cases, ({ rpc }) => rpc)
  return [...[...calls].map(([name, those]) => row(name, those)), row('all', cases)]
}

function listRest({ later, mayBeZero, ofTheNetwork }: GrpcCompared): string[][] {
  return [
    ...Object.entries(later).map(([name, { code, details, reason }]) => [name, `code ${code}, \`${details}\``, reason]),
    ...Object.entries(mayBeZero).map(([path, reason]) => [`\`${path}\``, 'may be zero on one side', reason]),
    ...Object.entries(ofTheNetwork).map(([path, reason]) => [
      `\`status.config.${path}\``,
      'another value; all others of the configuration are the recorded ones',
      reason,
    ]),
  ]
}

function nameMethod(request: string): string {
  try {
    const parsed: unknown = JSON.parse(request)
    if (Array.isArray(parsed)) return 'batches'
    if (typeof parsed === 'object' && parsed !== null && 'method' in parsed && typeof parsed.method === 'string') {
      return `\`${parsed.method}\``
    }
  } catch {
    // No JSON at all.
  }
  return 'HTTP and envelopes'
}

/** By name, in the order of names. */
function group<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item])
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}
