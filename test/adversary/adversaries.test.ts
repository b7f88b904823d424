import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../../config/index.ts'
import { ADVERSARIES } from './adversaries.ts'
import { colludingChallenger } from './behaviours/colluding-challenger.ts'
import { ModelChain } from './model-chain.ts'
import { listSurprises, type Match, PAGE_RUN, PAGE_SETTINGS, playAll, type Row } from './play-all.ts'
import { renderAdversaries } from './render-adversaries.ts'
import type { SettingName } from './settings.ts'
import { putSection } from './threats-section.ts'

/** What the issue names. */
const NAMES = [
  ...['keeps only hashes', 'keeps half', 'deletes after proving', 'fetches when asked', 'answers late'],
  ...['forges signatures', 'many identities on one disk', 'registers much and stores little'],
  ...['challenger that issues nonsense', 'challenger that floods', 'challenger that colludes'],
  ...['leaves with an open challenge', 'sends garbage proofs for someone else', 'front-runs `distributeRewards`'],
  ...['shrinks before an era and grows after it', 'passes once and leaves much later'],
]

describe('adversary', () => {
  const matches = new Map<SettingName, Match>()
  before(function () {
    this.timeout(60_000)
    for (const setting of PAGE_SETTINGS) {
      matches.set(setting, playAll({ ...PAGE_RUN, setting, makeChain: ModelChain.deploy }))
    }
  })
  const rowOf = (setting: SettingName, name: string): Row => {
    const row = matches.get(setting)?.rows.find(({ adversary }) => adversary.name === name)
    assert.ok(row, name)
    return row
  }

  it('has all that are to be played', () => {
    const names = ADVERSARIES.map(({ name }) => name)
    assert.deepEqual(
      NAMES.filter((name) => !names.includes(name)),
      [],
    )
  })

  for (const setting of PAGE_SETTINGS) {
    for (const { name, expected } of ADVERSARIES) {
      const { atLeast, atMost } = expected[setting]
      const bounds = atLeast === undefined ? `at most ${atMost}` : `${atLeast} to ${atMost}, which is open,`
      it(`${name}, ${setting}: has ${bounds} of an honest node's net result`, () => {
        assert.deepEqual(listSurprises(rowOf(setting, name)), [])
      })
    }
  }

  it('an honest node is paid for every period: its GB at utilisation 1, or what is anchored and meant in three copies', () => {
    const periods = BigInt(PAGE_RUN.eras * 128)
    assert.equal(matches.get('shipped')?.baseline.adversary.reward, 10n * periods * 1_000_000n)
    // 7 x 1,408 MiB and a quiet era in three copies on 60 GB, in millionths; 1 nanoMAS for each of them, period and GB.
    const utilisation = ((7n * 1_408n * 1_048_576n + 128n * 3_000n) * 3n) / (1_000n * 60n)
    assert.equal(matches.get('production')?.baseline.adversary.reward, 10n * periods * utilisation)
  })

  it('who gains nothing for a while loses stake: a fifth strike takes a tenth', () => {
    for (const name of ['keeps only hashes', 'keeps half', 'forges signatures']) {
      assert.equal(rowOf('shipped', name).result.adversary.stakeLost, 10n ** 9n, name)
      assert.equal(rowOf('production', name).result.adversary.stakeLost, 54n * 10n ** 8n, name)
    }
  })

  it('whatever is done to challenges or distributions of others changes nothing of what they have, to the nanoMAS', () => {
    for (const setting of PAGE_SETTINGS) {
      for (const name of ['sends garbage proofs for someone else', 'front-runs `distributeRewards`']) {
        assert.deepEqual(rowOf(setting, name).result.honest, matches.get(setting)?.baseline.honest, name)
      }
    }
  })

  it('where a challenge takes evidence, nonsense takes nothing from anybody', () => {
    // Fees aside: where challengers are two, an honest one audits less.
    const count = (match: Match | undefined) =>
      match?.baseline.honest.map(({ reward, stakeLost }) => ({ reward, stakeLost }))
    const { honest } = rowOf('production', 'challenger that issues nonsense').result
    assert.deepEqual(
      honest.map(({ reward, stakeLost }) => ({ reward, stakeLost })),
      count(matches.get('production')),
    )
  })

  it('a colluding challenger of two keeps little of it in the end: after the slash of the 21st era 0.09 is left', () => {
    const options = { ...PAGE_RUN, eras: 22, setting: 'production', makeChain: ModelChain.deploy } as const
    const [row] = playAll(options, [colludingChallenger]).rows
    assert.equal(row?.result.adversary.stakeLost, 54n * 10n ** 8n)
    assert.equal(row.share.toFixed(2), '0.09')
  })

  it('docs/THREATS.md is as they played; `npm run docs` writes it', () => {
    const page = readFileSync(join(findPackageRoot(), 'docs/THREATS.md'), 'utf8')
    assert.equal(putSection(page, renderAdversaries([...matches.values()], PAGE_RUN.eras)), page)
  })
})
