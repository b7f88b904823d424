import * as z from 'zod'
import { ArchiveError } from '../../core/index.ts'
import type { GuardedLevel, LevelOperation } from '../guarded-level.ts'
import { encodeIndexKey, encodePeriod, keyspaceRange } from '../keyspace.ts'
import { openValue, sealValue } from '../sealed-value.ts'

/** Half a year of 105 audits a day, in 10 MB; past it the oldest go. */
const MAX_ENTRIES = 20_000
/** Those that go together. */
const DELETED_AT_ONCE = 256

/**
 * What became of a challenge: `valid`; `invalid`: something was shown that is no proof; `notHeld`, `refused` and `noAnswer`
 * (on chain: expired) are failures, too; of `busy` and `void` (the issuer lost his right meanwhile) nobody can be blamed;
 * `open`: it is not known yet.
 */
export const CHALLENGE_RESULTS = ['valid', 'invalid', 'notHeld', 'refused', 'noAnswer', 'busy', 'void', 'open'] as const
/** Of which nobody can be blamed, or not yet. */
const UNDECIDED: readonly ChallengeResult[] = ['busy', 'void', 'open']
export type ChallengeResult = (typeof CHALLENGE_RESULTS)[number]

const entrySchema = z.strictObject({
  challengeId: z.string(),
  kind: z.enum(['challenge', 'rehearsal']),
  /** Massa address of the challenged node. */
  node: z.string(),
  /** 64 hex digits */
  chunkId: z.string(),
  /** u64, decimal */
  nonce: z.string(),
  /** Of the own clock, since 1970. */
  issuedAtMs: z.int().min(0),
  durationMs: z.int().min(0),
  result: z.enum(CHALLENGE_RESULTS),
  /** Why it is not valid; empty where it is. */
  reason: z.string(),
  /** 65 bytes in hex, of a challenge that was drawn: with it anybody recomputes the draw. */
  drawSignature: z.string().optional(),
  /** A block said so that was not final then; absent: no block did, or a final one. */
  isCandidate: z.boolean().optional(),
})

/** A challenge that this node issued, and how it ended. */
export type ChallengeEntry = z.infer<typeof entrySchema>

/** Of one node, by what this node saw. */
export interface SuccessRate {
  readonly passed: number
  /** Without those of which nobody can be blamed. */
  readonly total: number
}

/**
 * Challenges that this node issued, in the index database, oldest first. One that is damaged counts as absent: the chain has
 * those that matter.
 */
export class ChallengeHistory {
  private readonly index: GuardedLevel
  private readonly maxEntries: number
  private count: number | undefined
  /** By kind and node, once somebody has asked; it goes along with what is written, and is made anew where that fails. */
  private rates: Map<string, SuccessRate> | undefined
  /** One after the other: each counts what there is. */
  private writing: Promise<void> = Promise.resolve()

  constructor(index: GuardedLevel, maxEntries = MAX_ENTRIES) {
    this.index = index
    this.maxEntries = maxEntries
  }

  /** In the place of the one with this id and this time. Resolves when it is on disk. @throws ArchiveError of the store */
  append(entry: ChallengeEntry): Promise<void> {
    return this.inTurn(() => this.put(entry))
  }

  /** The one with this id and this time: there was no such challenge. @throws ArchiveError of the store */
  delete(entry: ChallengeEntry): Promise<void> {
    return this.inTurn(async () => {
      const old = await this.index.get(keyOf(entry))
      await this.write([{ type: 'del', key: keyOf(entry) }], { gone: old ? [old] : [] })
      this.count = undefined
    })
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.writing.then(act)
    this.writing = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  private async put(entry: ChallengeEntry): Promise<void> {
    const value = sealValue(new TextEncoder().encode(JSON.stringify(entrySchema.parse(entry))))
    const puts: LevelOperation[] = [{ type: 'put', key: keyOf(entry), value }]
    this.count ??= await this.countAll()
    const old = await this.index.get(keyOf(entry))
    const oldest = !old && this.count >= this.maxEntries ? await this.listOldest() : []
    const deletes = oldest.map(([key]): LevelOperation => ({ type: 'del', key }))
    const gone = old ? [old] : oldest.map(([, sealed]) => sealed)
    await this.write([...deletes, ...puts], { gone, come: entry })
    this.count += (old ? 0 : 1) - deletes.length
  }

  /** @param change.gone - what is replaced or deleted, as it is on disk */
  private async write(
    operations: readonly LevelOperation[],
    { gone, come }: { readonly gone: readonly Uint8Array[]; readonly come?: ChallengeEntry },
  ): Promise<void> {
    const { rates } = this
    // It is not known what is there when the disk fails.
    this.rates = undefined
    await this.index.write([...operations], { sync: true })
    if (!rates) return
    for (const sealed of gone) addTo(rates, parseEntry(sealed), -1)
    addTo(rates, come, 1)
    this.rates = rates
  }

  /** The newest first. @param limit - at most */
  async list(limit: number): Promise<ChallengeEntry[]> {
    const entries: ChallengeEntry[] = []
    for await (const [, sealed] of this.index.entries({ ...keyspaceRange('challengeHistory'), reverse: true, limit })) {
      const entry = parseEntry(sealed)
      if (entry) entries.push(entry)
    }
    return entries
  }

  /** Those whose end is not known yet, the oldest first. */
  listOpen(): Promise<ChallengeEntry[]> {
    return this.listAll(({ result }) => result === 'open')
  }

  /** Those whose end is not known to be final, the oldest first. */
  listCandidates(): Promise<ChallengeEntry[]> {
    return this.listAll(({ isCandidate }) => isCandidate === true)
  }

  /** @throws ArchiveError API_NAME_AMBIGUOUS when several ids begin so */
  async find(idPrefix: string): Promise<ChallengeEntry | undefined> {
    const found = new Map<string, ChallengeEntry>()
    for await (const [, sealed] of this.index.entries(keyspaceRange('challengeHistory'))) {
      const entry = parseEntry(sealed)
      if (entry?.challengeId.startsWith(idPrefix)) found.set(entry.challengeId, entry)
      if (entry?.challengeId === idPrefix) return entry
    }
    if (found.size > 1)
      throw new ArchiveError('API_NAME_AMBIGUOUS', `several challenges begin with ${idPrefix}: give more of the id`)
    return [...found.values()][0]
  }

  /**
   * Over all of one kind that is kept of a node: what it rehearsed counts for nothing on chain. Only the first call goes through all
   * that is kept.
   *
   * @throws ArchiveError of the store
   */
  rateOf(node: string, kind: ChallengeEntry['kind']): Promise<SuccessRate> {
    return this.inTurn(async () => {
      this.rates ??= await this.countRates()
      return this.rates.get(rateKey({ node, kind })) ?? { passed: 0, total: 0 }
    })
  }

  private async countRates(): Promise<Map<string, SuccessRate>> {
    const rates = new Map<string, SuccessRate>()
    for await (const [, sealed] of this.index.entries(keyspaceRange('challengeHistory'))) {
      addTo(rates, parseEntry(sealed), 1)
    }
    return rates
  }

  private async listAll(isWanted: (entry: ChallengeEntry) => boolean): Promise<ChallengeEntry[]> {
    const found: ChallengeEntry[] = []
    for await (const [, sealed] of this.index.entries(keyspaceRange('challengeHistory'))) {
      const entry = parseEntry(sealed)
      if (entry && isWanted(entry)) found.push(entry)
    }
    return found
  }

  private async countAll(): Promise<number> {
    let count = 0
    for await (const _ of this.index.keys(keyspaceRange('challengeHistory'))) count++
    return count
  }

  private async listOldest(): Promise<[Uint8Array, Uint8Array][]> {
    const oldest: [Uint8Array, Uint8Array][] = []
    const limit = Math.min(DELETED_AT_ONCE, this.maxEntries)
    for await (const entry of this.index.entries({ ...keyspaceRange('challengeHistory'), limit })) oldest.push(entry)
    return oldest
  }
}

function rateKey({ node, kind }: Pick<ChallengeEntry, 'node' | 'kind'>): string {
  return `${kind} ${node}`
}

/** One more or less, where somebody can be blamed for how it ended. */
function addTo(rates: Map<string, SuccessRate>, entry: ChallengeEntry | undefined, count: 1 | -1): void {
  if (!entry || UNDECIDED.includes(entry.result)) return
  const { passed, total } = rates.get(rateKey(entry)) ?? { passed: 0, total: 0 }
  rates.set(rateKey(entry), { passed: passed + (entry.result === 'valid' ? count : 0), total: total + count })
}

/** u64 ms || UTF-8 id */
function keyOf({ issuedAtMs, challengeId }: ChallengeEntry): Uint8Array {
  return encodeIndexKey('challengeHistory', encodePeriod(issuedAtMs), new TextEncoder().encode(challengeId))
}

function parseEntry(sealed: Uint8Array): ChallengeEntry | undefined {
  const value = openValue(sealed)
  if (!value) return undefined
  try {
    return entrySchema.safeParse(JSON.parse(new TextDecoder().decode(value))).data
  } catch {
    return undefined
  }
}
