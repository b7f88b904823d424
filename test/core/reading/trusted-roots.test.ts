import assert from 'node:assert/strict'
import {
  buildPeriodProof,
  computePeriodRoot,
  isArchiveError,
  type TrustedHistory,
  toHex,
  verifyCompleteness,
  verifyProof,
} from '../../../core/index.ts'
import { history, period } from './lies.ts'
import { assertCode, bend, type MutableProof } from './made-history.ts'
import { certificate, eraRoots, periods, RANGE, trusted as trustedEras } from './range-lies.ts'
import { flipBit } from './second-implementation.ts'

const proof = await buildPeriodProof(history, 9)
const question = { kind: 'period', period: 9 } as const
const periodRoot = computePeriodRoot(period.manifest)
const byPeriod: TrustedHistory = { findPeriodRoot: () => periodRoot }
const byBoth: TrustedHistory = { ...history.trusted, ...byPeriod }

/** What a gateway can change in the era of a proof. */
const ERA_LIES: Readonly<Record<string, (era: NonNullable<MutableProof['era']>) => unknown>> = {
  'another total of bytes': (era) => Object.assign(era, { totalBytes: '7' }),
  'another total of chunks': (era) => Object.assign(era, { totalChunks: '7' }),
  'another path': ({ path }) => Object.assign(path, { 6: '00'.repeat(32) }),
}

function bendEra(change: (typeof ERA_LIES)[string]): typeof proof {
  return bend(proof, ({ era }) => change(era ?? assert.fail('no era')))
}

describe('core/reading/trusted-roots', () => {
  it('the era root is checked where the reader trusts one of this era', () => {
    for (const trusted of [history.trusted, byBoth]) {
      const { checks, gaps, era, trust } = verifyProof(proof, question, trusted)
      assert.equal(checks.find(({ name }) => name === 'era-root')?.value, toHex(history.eraRoot))
      assert.deepEqual([gaps, era?.isTrusted, trust], [[], true, 'era-root'])
    }
  })

  it('and is what the archive says where he trusts none, or the root of the period alone', () => {
    for (const [trusted, trust, also] of [
      [byPeriod, 'period-root', []],
      [{}, 'none', ['trusted-root']],
    ] as const) {
      for (const shown of [proof, ...Object.values(ERA_LIES).map(bendEra)]) {
        const verified = verifyProof(shown, question, trusted)
        assert(!verified.checks.some(({ name }) => name === 'era-root'))
        assert.deepEqual(verified.gaps, ['trusted-era-root', ...also])
        assert.deepEqual([verified.era?.isTrusted, verified.trust], [false, trust])
      }
    }
  })

  for (const [name, change] of Object.entries(ERA_LIES)) {
    it(`refuses ${name} where he trusts both`, () =>
      assertCode('CORE_READING_ROOT_UNTRUSTED', () => verifyProof(bendEra(change), question, byBoth)))
  }

  it('refuses each era with one bit changed where he trusts its root', () => {
    const text = JSON.stringify(proof)
    const [start, end] = [text.indexOf('"era":{'), text.indexOf('"seals"')]
    assert(end - start > 500)
    for (const trusted of [history.trusted, byBoth]) {
      for (let at = start; at < end; at++) {
        for (const bit of [0, at % 8]) {
          const bent = flipBit(text, at, bit)
          assert.throws(() => verifyProof(bent, question, trusted), isArchiveError, `byte ${at}, bit ${bit}`)
        }
      }
    }
  })

  it('in a certificate, too: each era says whether its root was compared', () => {
    const findPeriodRoot = (number: number) => computePeriodRoot(periods[number]?.manifest ?? assert.fail())
    const shown = (trusted: TrustedHistory, what = certificate) =>
      verifyCompleteness(what, RANGE, trusted).eras.map(({ isTrusted }) => isTrusted)
    assert.deepEqual(shown(trustedEras), [true, true, true])
    assert.deepEqual(shown({ findEraRoot: (era) => (era === 1 ? eraRoots[1] : undefined) }), [false, true, false])
    const bent = bend(certificate, ({ eras }) => Object.assign(eras[1] ?? {}, { totalBytes: '7' }))
    assert.deepEqual(shown({ findPeriodRoot }, bent), [false, false, false])
    assert.throws(() => shown({ ...trustedEras, findPeriodRoot }, bent), isArchiveError)
  })
})
