import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import * as z from 'zod'
import type { GuardedLevel, LevelOperation } from '../guarded-level.ts'
import { encodeIndexKey, encodePeriod, keyspaceRange } from '../keyspace.ts'
import { openValue, sealValue } from '../sealed-value.ts'
import type { PlacementReading } from './read-placement.ts'

/** A challenge may refer to a placement of twice the longest lag (64 eras) ago; some more, since eras end while it is issued. */
const KEPT_ERAS = 136

const whole = z.int().min(0)
const u64 = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)

const entrySchema = z.strictObject({
  registry: z.string(),
  snapshot: z.strictObject({
    network: z.strictObject({ chainId: u64, genesisTimestampMs: u64 }),
    era: whole,
    replicas: whole,
    eraBytes: u64,
    requireAnchors: z.boolean(),
    nodes: z.array(
      z.strictObject({
        address: z.string(),
        placementGb: u64,
        operator: z.string(),
        p2pAddrs: z.array(z.string()),
        retentionPeriods: u64,
      }),
    ),
  }),
  replicationFactor: whole,
  lagEras: whole.optional(),
  period: whole,
})

/**
 * What the registry said about each of the last 136 eras, in the index database: its records tell of the present era only. An era
 * whose entry is damaged, or of another registry, counts as one in which nothing was read.
 */
export class PlacementArchive {
  private readonly index: GuardedLevel
  private readonly keptEras: number

  constructor(index: GuardedLevel, keptEras = KEPT_ERAS) {
    this.index = index
    this.keptEras = keptEras
  }

  /**
   * In the place of what was kept of this era; eras that are too old go. Resolves when it is on disk.
   *
   * @param registry - its address
   * @throws ArchiveError of the store
   */
  async put(registry: string, reading: PlacementReading): Promise<void> {
    const { era } = reading.snapshot
    const json = JSON.stringify({ registry, ...reading }, (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    )
    // Of 10,000 nodes: half as much as LevelDB makes of it.
    const value = sealValue(await promisify(deflate)(json))
    const deletes: LevelOperation[] = []
    const lt = keyOf(Math.max(0, era - this.keptEras + 1))
    for await (const key of this.index.keys({ ...keyspaceRange('placements'), lt })) deletes.push({ type: 'del', key })
    await this.index.write([...deletes, { type: 'put', key: keyOf(era), value }], { sync: true })
  }

  /** Undefined when this era was not read here, or is not kept any more. @throws ArchiveError of the store */
  async find(registry: string, era: number): Promise<PlacementReading | undefined> {
    const sealed = await this.index.get(keyOf(era))
    const value = sealed && openValue(sealed)
    if (!value) return undefined
    const json: unknown = JSON.parse((await promisify(inflate)(value)).toString())
    const entry = entrySchema.safeParse(json).data
    if (entry?.registry !== registry) return undefined
    const { snapshot, replicationFactor, lagEras, period } = entry
    return { snapshot, replicationFactor, ...(lagEras === undefined ? {} : { lagEras }), period }
  }
}

/** u64 era */
function keyOf(era: number): Uint8Array {
  return encodeIndexKey('placements', encodePeriod(era))
}
