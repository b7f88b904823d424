import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { renderDetection } from './sim/detection/render-detection.ts'
import { findDifference } from './sim/scale/page-table.ts'

const page = readFileSync(join(findPackageRoot(), 'docs/DETECTION.md'), 'utf8')

/** Cells of the row that begins so. */
function readRow(name: string): string[] {
  const [line = ''] = page.split('\n').filter((each) => each.startsWith(`| ${name} |`))
  return line.slice(2, -2).split(' | ')
}

describe('docs/DETECTION.md', () => {
  it('says what is computed, and what the code gives in a few runs; all others `npm run docs` alone makes', async () => {
    const [note = ''] = page.split('\n').filter((line) => line.startsWith('<!--'))
    const few = { days: [2], weeks: [2], networks: [], slashed: [2], honest: [{ missedShare: 0.01, years: 1 }] }
    assert.equal(findDifference(await renderDetection(note, few), page), undefined)
  })

  it('a node that lacks 1 % is found within a day with 99.9 %, one that lacks 0.1 % within a week with 99 %', () => {
    for (const name of ['1 % within a day', '0.1 % within 7 days']) assert.equal(readRow(name).at(-1), 'yes')
  })

  it('simulated and computed differ by less than four standard deviations', () => {
    for (const [name, runs] of [
      ['1 % within a day', 1_000],
      ['10 % within a day', 1_000],
      ['50 % within a day', 1_000],
      ['0.1 % within 7 days', 200],
    ] as const) {
      const [, ...cells] = readRow(`${name}, ${runs.toLocaleString('en')} runs`).map((cell) =>
        Number(cell.replace(',', '')),
      )
      const [byAudits = 0, audits = 0, byChallenges = 0, challenges = 0] = cells
      for (const [found, expected] of [
        [byAudits, audits],
        [byChallenges, challenges],
      ] as const) {
        const deviation = Math.sqrt((expected * (runs - expected)) / runs)
        assert(Math.abs(found - expected) < Math.max(1, 4 * deviation), `${name}: ${found}, not ${expected}`)
      }
    }
  })

  it('so they do for networks, with the challenger told and without', () => {
    for (const network of ['3, 1', '10, 1', '10, 2', '30, 1', '100, 1']) {
      const runs = 200
      const [, own = 0, ownExpected = 0, all = 0, allExpected = 0] = readRow(`${network}, ${runs} runs`).map(Number)
      for (const [found, expected] of [
        [own, ownExpected],
        [all, allExpected],
      ] as const) {
        const deviation = Math.sqrt((expected * (runs - expected)) / runs)
        assert(Math.abs(found - expected) < Math.max(1.5, 4 * deviation), `${network}: ${found}, not ${expected}`)
      }
    }
  })

  it('an honest node that misses 1 % of 105 audits a day is slashed in none of 400 years', () => {
    assert.equal(readRow('1 %, 400 years')[1], '0')
  })
})
