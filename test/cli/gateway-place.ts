import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../api/gateway/gateway.ts'
import type { HistoryGateway } from '../../api/gateway/history-port.ts'
import { createApi, listen } from '../../api/index.ts'
import { type GetOptions, type GetRequest, getRecord } from '../../cli/commands/get.ts'
import { type GetAddressOptions, getAddress } from '../../cli/commands/get-address.ts'
import type { Operation } from '../../core/index.ts'
import { writeDaemonInfo } from '../../storage-worker/daemon-info.ts'
import { HistoryIndex } from '../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { HistoryAnswers, HistoryReader, LevelChunkStore, listDataDirNames } from '../../storage-worker/index.ts'
import { type MadeBlocks, MadeHistory, type MadePeriod, makePeriod, NETWORK } from '../core/reading/made-history.ts'
import { toArchived } from '../storage-worker/history/archived-period.ts'
import { openMemoryLevel, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const CHUNK_SIZE_BYTES = 4096
const FLAGS = {
  'node.chain_id': Number(NETWORK.chainId),
  'node.genesis_timestamp_ms': Number(NETWORK.genesisTimestampMs),
}

/** 34 bytes, of a user. */
export function makeAddress(fill: number): Uint8Array {
  return Uint8Array.from({ length: 34 }, (_, i) => (i < 2 ? 0 : fill))
}

export function pay(number: number, recipient: Uint8Array): Operation {
  const body = { kind: 'transaction', recipient, amountNanoMas: 5n } as const
  return { feeNanoMas: BigInt(number), expirePeriod: 12n, body }
}

/** An archive of the whole era 0 and somewhat more, its gateway, those of liars, and commands that ask them. */
export class GatewayPlace {
  /** Era 0, whole. */
  readonly history: MadeHistory
  readonly periods: readonly MadePeriod[]
  answers!: HistoryAnswers
  dataDir = ''
  private readonly folders = new TempFolders()
  private readonly servers: FastifyInstance[] = []

  /** @param made - blocks of some periods; all of 0 to `last` are archived */
  constructor(made: Readonly<Record<number, MadeBlocks>>, last = 127) {
    this.periods = Array.from({ length: last + 1 }, (_, period) =>
      makePeriod(period, made[period] ?? {}, CHUNK_SIZE_BYTES),
    )
    this.history = new MadeHistory(this.periods)
  }

  async open(): Promise<void> {
    this.dataDir = await this.folders.make()
    this.answers = await archive(this.periods)
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.close()
    await this.folders.clean()
  }

  /** A gateway that answers as the honest one, but for what it changes. */
  async listen(lies: Partial<HistoryGateway> = {}): Promise<string> {
    const server = fastify()
    this.servers.push(server)
    const history = new Proxy(this.answers, {
      get: (target, name) => Reflect.get(lies, name) ?? Reflect.get(target, name).bind(target),
    })
    addGatewayRoutes(server, { history })
    return server.listen({ host: '127.0.0.1', port: 0 })
  }

  /** Has a sidecar run on the data directory, of the same archive. @returns what ends it */
  async startSidecar(answers: HistoryGateway = this.answers): Promise<() => Promise<void>> {
    const api = createApi({
      dataDirNames: await listDataDirNames(this.dataDir),
      status: async () => ({ problems: [] }),
      query: undefined as never,
      gateway: { history: answers },
    })
    this.servers.push(api)
    await writeDaemonInfo(this.dataDir, await listen(api, { host: '127.0.0.1', port: 0 }))
    return async () => {
      await api.close()
      await writeDaemonInfo(this.dataDir)
    }
  }

  command(json = true, flags: Readonly<Record<string, string | number>> = {}) {
    return makeCommand(this.dataDir, { ...FLAGS, ...flags }, { json })
  }

  async getAddress(address: string, options: Partial<GetAddressOptions>, json = true) {
    const { context, printed } = this.command(json)
    const code = await getAddress(context, address, { verify: true, ...options }, new AbortController().signal)
    const answer = JSON.parse(json && printed.stdout !== '' ? printed.stdout : '{}') as Record<string, unknown>
    return { code, answer, printed }
  }

  async get(request: GetRequest, options: Partial<GetOptions>, json = true) {
    const { context, printed } = this.command(json)
    const code = await getRecord(context, request, { verify: true, ...options }, new AbortController().signal)
    const answer = JSON.parse(json && printed.stdout !== '' ? printed.stdout : '{}') as Record<string, unknown>
    return { code, answer, printed }
  }
}

/** Made blocks, archived and indexed in memory. */
async function archive(periods: readonly MadePeriod[]): Promise<HistoryAnswers> {
  const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore({ network: NETWORK, chunkSizeBytes: CHUNK_SIZE_BYTES }, databases)
  for (const period of periods) await store.writePeriod(toArchived(period))
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  return new HistoryAnswers({ reader: new HistoryReader({ store, index }), store })
}
