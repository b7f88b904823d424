import assert from 'node:assert/strict'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  type Question,
  verifyProof,
} from '../../core/index.ts'
import * as lies from '../core/reading/lies.ts'
import { bend, endorsementIdOf, lostOperation, MadeHistory, makePeriod } from '../core/reading/made-history.ts'

type Judgement = import('../../explorer/standing.ts').Judgement

const { href } = new URL('../../explorer/standing.ts', import.meta.url)
const { judge } = (await import(href)) as typeof import('../../explorer/standing.ts')

const { history, slot, honest, question } = lies
const block = lies.period.blocks[1]?.id ?? ''
const endorsement = endorsementIdOf(slot)
/** A block without operations, and one with an operation whose original is lost. */
const other = new MadeHistory([makePeriod(9, { 2: [], 4: [lostOperation()] })])
const [bare, lost] = other.periods.get(9)?.blocks ?? []
const lostId = lost?.operationIds[0] ?? ''
const emptySlot = { period: 9, thread: 3 }

type Known = 'nothing' | 'period' | 'era'

function judged(proof: AnswerProofJson, asked: Question, known: Known = 'nothing'): Judgement {
  const { periodRoot, era } = verifyProof(proof, asked)
  const trusted = {
    ...(known === 'period' ? { findPeriodRoot: () => periodRoot } : {}),
    ...(known === 'era' ? { findEraRoot: () => era?.root } : {}),
  }
  return judge(verifyProof(proof, asked, trusted), asked)
}

describe('explorer/standing', () => {
  const CASES: Readonly<Record<string, readonly [() => Promise<AnswerProofJson>, Question, string, string]>> = {
    'an operation by its id': [async () => honest, question, 'id', 'chain block slot date era'],
    'a block by its id': [() => buildBlockProof(history, slot), { kind: 'block', id: block }, 'id', 'chain date era'],
    'a block without operations, whose id hashes no chain': [
      () => buildBlockProof(other, slot),
      { kind: 'block', id: bare?.id ?? '' },
      'id',
      'chain date network era',
    ],
    'an endorsement by its id': [
      () => buildEndorsementProof(history, slot, endorsement),
      { kind: 'endorsement', id: endorsement },
      'id',
      'chain block date network era',
    ],
    'a block that the archive has at a slot': [
      () => buildBlockProof(history, slot),
      { kind: 'block-at', slot },
      'unconfirmed',
      'chain date network era',
    ],
    'an empty slot': [
      () => buildMissProof(history, emptySlot),
      { kind: 'slot-empty', slot: emptySlot },
      'unconfirmed',
      'chain date network era',
    ],
    'a period': [
      () => buildPeriodProof(history, 9),
      { kind: 'period', period: 9 },
      'unconfirmed',
      'chain date network era',
    ],
    'an operation whose content its id does not bind': [
      () => buildOperationProof(other, { period: 9, thread: 4 }, lostId),
      { kind: 'operation', id: lostId },
      'unconfirmed',
      'chain block slot date network era',
    ],
    'a block with such an operation': [
      () => buildBlockProof(other, { period: 9, thread: 4 }),
      { kind: 'block', id: lost?.id ?? '' },
      'unconfirmed',
      'chain date network era',
    ],
  }
  for (const [name, [prove, asked, standing, unproven]] of Object.entries(CASES)) {
    it(`${name}: ${standing} where no root is trusted, and the archive’s word for ${unproven}`, async () => {
      const proof = await prove()
      const alone = judged(proof, asked)
      assert.equal(alone.standing, standing)
      assert.equal(alone.unproven.join(' '), unproven)
      // A root binds all of it, the root of an era that period too.
      const [ofEra, ofPeriod] = [judged(proof, asked, 'era'), judged(proof, asked, 'period')]
      assert.deepEqual([ofEra.standing, ofEra.unproven], ['root', []])
      assert.deepEqual([ofPeriod.standing, ofPeriod.unproven], ['root', ['era']])
    })
  }

  it('names as checked by an id what is of this id alone, and the rest as what fits', () => {
    const { checks, loose } = judged(honest, question)
    assert.deepEqual(
      checks.map(({ name }) => name),
      ['operation-id', 'operation-signatures'],
    )
    for (const name of ['period-root', 'position', 'block-id', 'header-signature']) {
      assert(
        loose.some((check) => check.name === name),
        name,
      )
    }
  })

  it('names no root of an era as checked with which nothing was compared', () => {
    const isChecked = (known: Known) => judged(honest, question, known).checks.some(({ name }) => name === 'era-root')
    assert.deepEqual([isChecked('nothing'), isChecked('period'), isChecked('era')], [false, false, true])
  })

  it('hostile: nothing is good without its signatures, by its id or under a trusted root', async () => {
    for (const known of ['nothing', 'period', 'era'] as const) {
      for (const [prove, asked] of Object.values(CASES)) {
        if (asked.kind === 'slot-empty' || asked.kind === 'period') continue
        const proof = bend(await prove(), (proof) => Object.assign(proof, { seals: null }))
        assert.equal(judged(proof, asked, known).standing, 'unsigned')
      }
    }
  })

  it('an endorsement whose own signature does not verify is not signed', async () => {
    const asked: Question = { kind: 'endorsement', id: endorsement }
    const verified = verifyProof(await buildEndorsementProof(history, slot, endorsement), asked, history.trusted)
    assert.equal(judge(verified, asked).standing, 'root')
    assert.equal(judge({ ...verified, gaps: ['endorsement-signature'] }, asked).standing, 'unsigned')
  })
})
