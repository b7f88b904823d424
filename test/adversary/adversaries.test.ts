import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../../config/index.ts'
import { ADVERSARIES } from './adversaries.ts'
import type { Adversary } from './adversary.ts'
import { colludingChallenger } from './behaviours/colluding-challenger.ts'
import { forgesSignatures } from './behaviours/forges-signatures.ts'
import { frontRunsDistribution } from './behaviours/front-runs-distribution.ts'
import { garbageForOthers } from './behaviours/garbage-for-others.ts'
import { honest } from './behaviours/honest.ts'
import { keepsOnlyHashes } from './behaviours/keeps-only-hashes.ts'
import { nonsenseChallenger } from './behaviours/nonsense-challenger.ts'
import { renderDevnet } from './devnet/render.ts'
import { readDevnetResult } from './devnet/result.ts'
import { ModelChain } from './model-chain.ts'
import { listSurprises, type Match, PAGE_RUN, PAGE_SETTINGS, play, playAll, type Row } from './play-all.ts'
import { renderAdversaries } from './render-adversaries.ts'
import { type RunOptions, type RunResult, runAdversary } from './run-adversary.ts'
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

const TIMEOUT_MS = 120_000

/** Plays what is asked for, once: all of it takes some seconds. */
class Stage {
  private readonly options: RunOptions
  private readonly rows = new Map<Adversary, Row>()
  private played: RunResult | undefined

  constructor(setting: SettingName) {
    this.options = { ...PAGE_RUN, setting, makeChain: ModelChain.deploy }
  }

  get baseline(): RunResult {
    this.played ??= runAdversary(honest, this.options)
    return this.played
  }

  rowOf(adversary: Adversary): Row {
    const row = this.rows.get(adversary) ?? play(adversary, this.baseline, this.options)
    this.rows.set(adversary, row)
    return row
  }
}

describe('adversary', function () {
  this.timeout(TIMEOUT_MS)
  const stages = { shipped: new Stage('shipped'), production: new Stage('production') } as const

  it('has all that are to be played', () => {
    const names = ADVERSARIES.map(({ name }) => name)
    assert.deepEqual(
      NAMES.filter((name) => !names.includes(name)),
      [],
    )
  })

  for (const setting of PAGE_SETTINGS) {
    for (const adversary of ADVERSARIES) {
      const { name, expected } = adversary
      const { atLeast, atMost } = expected[setting]
      const bounds = atLeast === undefined ? `at most ${atMost}` : `${atLeast} to ${atMost}, which is open,`
      it(`${name}, ${setting}: has ${bounds} of an honest node's net result`, () => {
        assert.deepEqual(listSurprises(stages[setting].rowOf(adversary)), [])
      })
    }
  }

  it('an honest node is paid for every period: its GB at utilisation 1, or what is anchored and meant in three copies', () => {
    const periods = BigInt(PAGE_RUN.eras * 128)
    assert.equal(stages.shipped.baseline.adversary.reward, 10n * periods * 1_000_000n)
    // 7 x 1,408 MiB and a quiet era in three copies on 60 GB, in millionths; 1 nanoMAS for each of them, period and GB.
    const utilisation = ((7n * 1_408n * 1_048_576n + 128n * 3_000n) * 3n) / (1_000n * 60n)
    assert.equal(stages.production.baseline.adversary.reward, 10n * periods * utilisation)
  })

  it('who proves nothing loses stake: a fifth strike takes a tenth', () => {
    for (const adversary of [keepsOnlyHashes, forgesSignatures]) {
      assert.equal(stages.shipped.rowOf(adversary).result.adversary.stakeLost, 10n ** 9n, adversary.name)
      assert.equal(stages.production.rowOf(adversary).result.adversary.stakeLost, 54n * 10n ** 8n, adversary.name)
    }
  })

  it('whatever is done to challenges or distributions of others changes nothing of what they have, to the nanoMAS', () => {
    for (const stage of [stages.shipped, stages.production]) {
      for (const adversary of [garbageForOthers, frontRunsDistribution]) {
        assert.deepEqual(stage.rowOf(adversary).result.honest, stage.baseline.honest, adversary.name)
      }
    }
  })

  it('where a challenge takes evidence, nonsense takes nothing from anybody', () => {
    // Fees aside: where challengers are two, an honest one audits less.
    const list = ({ honest }: RunResult) => honest.map(({ reward, stakeLost }) => ({ reward, stakeLost }))
    const { production } = stages
    assert.deepEqual(list(production.rowOf(nonsenseChallenger).result), list(production.baseline))
  })

  it('a colluding challenger of two keeps little of it in the end: after the slash of the 21st era 0.09 is left', () => {
    const options = { ...PAGE_RUN, eras: 22, setting: 'production', makeChain: ModelChain.deploy } as const
    const [row] = playAll(options, [colludingChallenger]).rows
    assert.equal(row?.result.adversary.stakeLost, 54n * 10n ** 8n)
    assert.equal(row.share.toFixed(2), '0.09')
  })

  it('docs/THREATS.md is as they played; `npm run docs` writes it', () => {
    const page = readFileSync(join(findPackageRoot(), 'docs/THREATS.md'), 'utf8')
    const matches = PAGE_SETTINGS.map((setting): Match => {
      const stage = stages[setting]
      return { setting, baseline: stage.baseline, rows: ADVERSARIES.map((adversary) => stage.rowOf(adversary)) }
    })
    assert.equal(putSection(page, 'adversaries', renderAdversaries(matches, PAGE_RUN.eras)), page)
    assert.equal(putSection(page, 'adversaries on a devnet', renderDevnet(readDevnetResult(), matches)), page)
  })
})
