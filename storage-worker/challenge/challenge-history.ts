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
      await this.index.write([{ type: 'del', key: keyOf(entry) }], { sync: true })
      this.count = undefined
    })
  }

  private inTurn(write: () => Promise<void>): Promise<void> {
    const written = this.writing.then(write)
    this.writing = written.catch(() => undefined)
    return written
  }

  private async put(entry: ChallengeEntry): Promise<void> {
    const value = sealValue(new TextEncoder().encode(JSON.stringify(entrySchema.parse(entry))))
    const puts: LevelOperation[] = [{ type: 'put', key: keyOf(entry), value }]
    this.count ??= await this.countAll()
    const isNew = (await this.index.get(keyOf(entry))) === undefined
    const deletes = isNew && this.count >= this.maxEntries ? await this.listOldest() : []
    await this.index.write([...deletes, ...puts], { sync: true })
    this.count += (isNew ? 1 : 0) - deletes.length
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

  /** Over all of one kind that is kept of a node: what it rehearsed counts for nothing on chain. */
  async rateOf(node: string, kind: ChallengeEntry['kind']): Promise<SuccessRate> {
    let [passed, total] = [0, 0]
    for await (const [, sealed] of this.index.entries(keyspaceRange('challengeHistory'))) {
      const entry = parseEntry(sealed)
      if (entry?.node !== node || entry.kind !== kind || UNDECIDED.includes(entry.result)) continue
      total++
      if (entry.result === 'valid') passed++
    }
    return { passed, total }
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

  private async listOldest(): Promise<LevelOperation[]> {
    const deletes: LevelOperation[] = []
    const limit = Math.min(DELETED_AT_ONCE, this.maxEntries)
    for await (const key of this.index.keys({ ...keyspaceRange('challengeHistory'), limit })) {
      deletes.push({ type: 'del', key })
    }
    return deletes
  }
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
