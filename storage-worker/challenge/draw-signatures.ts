import { computeAuditDraw, computeDraw, computeDrawChallengeId, type Period } from '../../core/index.ts'
import type { GuardedLevel, LevelOperation } from '../guarded-level.ts'
import { decodePeriod, encodeIndexKey, encodePeriod, keyspaceRange } from '../keyspace.ts'
import { openValue, sealValue } from '../sealed-value.ts'

/** As many as the challenge history has: half a year of 105 challenges a day, in 4 MB; past it those of the oldest periods go. */
const MAX_ENTRIES = 20_000
/** Those that go together. */
const DELETED_AT_ONCE = 256
/** The contract's. */
const MAX_AUDIT = 8
const PERIOD_BYTES = 8
const SIGNATURE_BYTES = 65

/** What a challenge was drawn by. */
export interface DrawnChallenge {
  readonly challengeId: string
  readonly issuedPeriod: Period
  /** 65 bytes */
  readonly signature: Uint8Array
}

/** Which challenge of an audit, 0 to 7, has this id by a draw signature of 65 bytes; undefined: none, the id is of another draw. */
export function findDrawIndex(challengeId: string, signature: Uint8Array): number | undefined {
  const draw = computeDraw(signature.subarray(1))
  for (let j = 0; j < MAX_AUDIT; j++) {
    if (computeDrawChallengeId(computeAuditDraw(draw, j)) === challengeId) return j
  }
  return undefined
}

/**
 * Signatures of draws, own ones and those that came with challenges, in the index database: the chain does not have them. The id of
 * a challenge is a hash of its signature, so that whoever passes on a wrong one is seen to. One that is damaged counts as absent.
 */
export class DrawSignatures {
  private readonly index: GuardedLevel
  private readonly maxEntries: number
  private count: number | undefined
  /** One after the other: each counts what there is. */
  private putting: Promise<void> = Promise.resolve()

  constructor(index: GuardedLevel, maxEntries = MAX_ENTRIES) {
    this.index = index
    this.maxEntries = maxEntries
  }

  /** Leaves out what is not the signature of this challenge. Resolves when it is on disk. @throws ArchiveError of the store */
  put(drawn: DrawnChallenge): Promise<void> {
    if (findDrawIndex(drawn.challengeId, drawn.signature) === undefined) return Promise.resolve()
    const put = this.putting.then(() => this.write(drawn))
    this.putting = put.catch(() => undefined)
    return put
  }

  /** 65 bytes; undefined when it never came here. @throws ArchiveError of the store */
  async find(challengeId: string): Promise<Uint8Array | undefined> {
    const sealed = await this.index.get(keyOf(challengeId))
    const value = sealed && openValue(sealed)
    return value?.length === PERIOD_BYTES + SIGNATURE_BYTES ? value.subarray(PERIOD_BYTES) : undefined
  }

  private async write({ challengeId, issuedPeriod, signature }: DrawnChallenge): Promise<void> {
    const key = keyOf(challengeId)
    if ((await this.find(challengeId)) !== undefined) return
    this.count ??= await this.countAll()
    const deletes = this.count >= this.maxEntries ? await this.listOldest() : []
    const value = new Uint8Array(PERIOD_BYTES + SIGNATURE_BYTES)
    value.set(encodePeriod(issuedPeriod))
    value.set(signature, PERIOD_BYTES)
    await this.index.write([...deletes, { type: 'put', key, value: sealValue(value) }], { sync: true })
    this.count += 1 - deletes.length
  }

  private async countAll(): Promise<number> {
    let count = 0
    for await (const _ of this.index.keys(keyspaceRange('drawSignatures'))) count++
    return count
  }

  private async listOldest(): Promise<LevelOperation[]> {
    const found: { readonly key: Uint8Array; readonly period: Period }[] = []
    for await (const [key, sealed] of this.index.entries(keyspaceRange('drawSignatures'))) {
      const value = openValue(sealed)
      found.push({ key, period: value ? decodePeriod(value, 0) : 0 })
    }
    found.sort((a, b) => a.period - b.period)
    return found.slice(0, Math.min(DELETED_AT_ONCE, this.maxEntries)).map(({ key }) => ({ type: 'del', key }))
  }
}

/** UTF-8 id */
function keyOf(challengeId: string): Uint8Array {
  return encodeIndexKey('drawSignatures', new TextEncoder().encode(challengeId))
}
