import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../../core/index.ts'
import type { HavePage, SignedHavePage } from '../../../protocol-handler/index.ts'
import type { Fetched } from '../../../storage-worker/peers/peer-client.ts'
import { HolderClaims } from '../../../storage-worker/replication/holder-claims.ts'
import { StandIns } from '../../../storage-worker/replication/stand-ins.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { SIGNATURE } from '../../protocol-handler/sample-messages.ts'
import { NETWORK } from './made-archive.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const TEN_MINUTES_MS = 600_000
const ALL = ['a', 'b', 'c', 'd']
const HOLDERS = ['a', 'b', 'c']

/** That all of hash slot 1 is held, but for exceptions. */
function claimAll(exceptions: HavePage['exceptions'] = []): Fetched<readonly SignedHavePage[]> {
  const page = { network: NETWORK, headPeriod: 700, firstEra: 0, fromHashSlot: 0, endHashSlot: HASH_SLOTS }
  const held = [{ hashSlot: 1, endEra: 6 }]
  return { status: 'ok', value: [{ ...page, held, exceptions, missingPeriods: [], signature: SIGNATURE }] }
}

/** We are d, the next in rank; a, b and c hold hash slot 1 by placement and, but for `others`, say that they have all of it. */
function open(others: (address: string) => Fetched<readonly SignedHavePage[]> | undefined = () => undefined) {
  const clock = new StillClock()
  const claims = new HolderClaims(
    { network: NETWORK, ownAddress: 'd', livenessMs: HOUR_MS },
    {
      client: { fetchHaveMap: async (_, address) => others(address) ?? claimAll() },
      ports: {
        listPeers: () => HOLDERS.map((address) => ({ peer: `peer ${address}`, address })),
        listBanned: () => [],
        isNode: (address) => ALL.includes(address),
        firstPeriodOf: () => 0,
        keepsForEver: () => true,
        isTooSmall: () => false,
        readOwnFirst: async () => 0,
      },
      clock,
      onFailure: (error) => assert.fail(error),
    },
  )
  const standIns = new StandIns(
    { ownAddress: 'd', repairDelayMs: HOUR_MS },
    {
      placement: {
        isCurrent: true,
        inForce: {
          snapshot: { nodes: ALL.map((address) => ({ address, placementGb: 1n })) },
          listSlotsOf: (address) => (HOLDERS.includes(address) ? [1] : []),
          isHolder: (address, slot) => slot === 1 && HOLDERS.includes(address),
          addressesOfSlot: (slot) => (slot === 1 ? HOLDERS : []),
          rankBehind: async () => ['d'],
        },
      },
      claims,
      clock,
      log: createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } }),
    },
  )
  const pass = async (
    durationMs: number,
    each: () => void = () => undefined,
    stepMs = TEN_MINUTES_MS,
  ): Promise<number[]> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      clock.advance(stepMs)
      await claims.look()
      await claims.idle()
      each()
      await standIns.look()
    }
    return [...standIns.slots]
  }
  return { claims, pass }
}

describe('storage-worker/replication: a holder that comes back with an empty disk', () => {
  it('regression: nobody stands in for it longer than one delay after it said that it has all again', async () => {
    const lacking = claimAll([{ hashSlot: 1, era: 3 }])
    let says = lacking
    const { pass } = open((address) => (address === 'a' ? says : undefined))
    assert.deepEqual(await pass(18 * HOUR_MS), [1])
    // Just after it was asked: a minute until it is asked again, and a minute until that is looked at.
    says = claimAll()
    assert.deepEqual(await pass(HOUR_MS, undefined, MINUTE_MS), [1])
    assert.deepEqual(await pass(2 * MINUTE_MS, undefined, MINUTE_MS), [])
  })
})

describe('storage-worker/replication: a registered holder that lies in its have-map', () => {
  it('regression: who does not show what it says it holds is stood in for, until audits find nothing wrong for long', async () => {
    const { claims, pass } = open()
    assert.deepEqual(await pass(24 * HOUR_MS), [])
    assert.deepEqual(await pass(24 * HOUR_MS, () => claims.withdraw('a', 1, 3)), [1])
    // It comes and goes no sooner than what was not shown is forgotten.
    assert.deepEqual(await pass(5 * HOUR_MS), [1])
    assert.deepEqual(await pass(24 * HOUR_MS), [])
  })

  it('regression: who shows next to nothing is stood in for', async () => {
    const { claims, pass } = open()
    await pass(24 * HOUR_MS)
    assert.deepEqual(await pass(24 * HOUR_MS, () => claims.withdrawAll('b')), [1])
    assert.deepEqual(await pass(24 * HOUR_MS), [])
  })

  it('regression: whose archive has other roots than ours is stood in for, until it has the same', async () => {
    const { claims, pass } = open()
    await pass(24 * HOUR_MS)
    assert.deepEqual(await pass(24 * HOUR_MS, () => claims.distrust('c', true)), [1])
    claims.distrust('c', false)
    assert.deepEqual(await pass(24 * HOUR_MS), [])
  })

  it('regression: all of them together are stood in for, too', async () => {
    const { claims, pass } = open()
    await pass(24 * HOUR_MS)
    const fail = (): void => {
      for (const liar of HOLDERS) for (let era = 0; era < 6; era++) claims.withdraw(liar, 1, era)
    }
    assert.deepEqual(await pass(7 * 24 * HOUR_MS, fail), [1])
  })
})
