import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ArchiveError,
  buildCompleteness,
  computePeriodRoot,
  MAX_CERTIFICATE_PERIODS,
  toHex,
  verifyCompleteness,
} from '../../../core/index.ts'
import { assertCode, bend, makePeriod } from './made-history.ts'
import { certificate, eraRoots, LAST, periods, RANGE, RANGE_LIES, source, trusted } from './range-lies.ts'

describe('core/reading/completeness', () => {
  it('shows each period of a range, which slots have blocks, and that whole eras bind them', () => {
    const verified = verifyCompleteness(JSON.stringify(certificate), RANGE, trusted)
    assert.deepEqual(
      verified.periods.map(({ period, bitmap, root }) => [period, bitmap, toHex(root)]),
      periods
        .slice(100, 331)
        .map(({ manifest }) => [manifest.period, manifest.bitmap, toHex(computePeriodRoot(manifest))]),
    )
    assert.deepEqual([verified.blocks, verified.untrusted], [5, 0])
    assert(verified.periods.every(({ trust }) => trust === 'era-root'))
    assert.deepEqual(
      verified.eras.map(({ era, root }) => [era, root && toHex(root)]),
      eraRoots.map((root, era) => [era, toHex(root)]),
    )
  })

  it('takes less than 64 characters a period', () => {
    const perPeriod = JSON.stringify(certificate).length / (RANGE.to - RANGE.from + 1)
    assert(perPeriod < 64, `${perPeriod}`)
  })

  it('leads to the roots of eras for any range, one period or a part of an era among them', async () => {
    const bound = fc.nat(383)
    await fc.assert(
      fc.asyncProperty(bound, bound, async (a, b) => {
        const range = { from: Math.min(a, b), to: Math.max(a, b) }
        const verified = verifyCompleteness(await buildCompleteness(source, range), range, trusted)
        assert.equal(verified.untrusted, 0)
        assert.equal(verified.periods.length, range.to - range.from + 1)
      }),
      { numRuns: 20 },
    )
  })

  it('says of how many periods nobody vouches: no trusted root, or an era that is not whole', async () => {
    assert.equal(verifyCompleteness(certificate, RANGE).untrusted, 231)
    const range = { from: 380, to: LAST }
    const last = await buildCompleteness(source, range)
    assert.equal(last.eras[1], null)
    const verified = verifyCompleteness(last, range, trusted)
    assert.deepEqual([verified.untrusted, verified.eras[1]], [16, { era: 3, isTrusted: false }])
    const findPeriodRoot = (period: number) => computePeriodRoot(periods[period]?.manifest ?? assert.fail('no period'))
    assert.equal(verifyCompleteness(last, range, { ...trusted, findPeriodRoot }).untrusted, 0)
  })

  for (const [name, [code, change]] of Object.entries(RANGE_LIES)) {
    it(`refuses ${name}: ${code}`, () =>
      assertCode(code, () => verifyCompleteness(bend(certificate, change), RANGE, trusted)))
  }

  it('refuses the right certificate of another range, and a period root that the reader does not trust', async () => {
    for (const range of [
      { from: 99, to: 330 },
      { from: 100, to: 331 },
    ]) {
      await assertCode('CORE_READING_SLOT_OTHER', () => verifyCompleteness(certificate, range, trusted))
    }
    const findPeriodRoot = (period: number) => (period === 200 ? new Uint8Array(32) : undefined)
    await assertCode('CORE_READING_ROOT_UNTRUSTED', () => verifyCompleteness(certificate, RANGE, { findPeriodRoot }))
  })

  it('any byte changed in any bit: refused, with a code', () => {
    const text = Buffer.from(JSON.stringify(certificate))
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(7), (at, bit) => {
        const bent = Buffer.from(text)
        bent[at] = (bent[at] ?? 0) ^ (1 << bit)
        assert.throws(
          () => verifyCompleteness(bent.toString('latin1'), RANGE, trusted),
          (error) => error instanceof ArchiveError && error.code.startsWith('CORE_READING_'),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('limit: 65,536 periods in one, and none that is not held', async () => {
    const { manifest } = makePeriod(0, {})
    const endless = {
      ...source,
      readManifest: async (period: number) => ({ ...manifest, period }),
      readEra: async () => undefined,
    }
    const most = { from: 5, to: 5 + MAX_CERTIFICATE_PERIODS - 1 }
    assert.equal(verifyCompleteness(await buildCompleteness(endless, most), most).periods.length, 65_536)
    for (const range of [
      { ...most, from: 4 },
      { from: 9, to: 8 },
      { from: -1, to: 3 },
      { from: 0.5, to: 3.5 },
    ]) {
      await assertCode('CORE_NUMBER_OUT_OF_RANGE', () => buildCompleteness(endless, range))
    }
    await assertCode('CORE_READING_NOT_HELD', () => buildCompleteness(source, { from: 390, to: 400 }))
  })
})
