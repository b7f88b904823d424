import assert from 'node:assert/strict'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildCompleteness,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  computePeriodRoot,
  type Question,
  toHex,
} from '../../../core/index.ts'
import { history, honest, LIES, moveTo, period, question, slot } from './lies.ts'
import { bend, call, endorsementIdOf, lostOperation, MadeHistory, makePeriod, NETWORK } from './made-history.ts'
import { certificate, eraRoots, LAST, periods, RANGE, RANGE_LIES, source } from './range-lies.ts'
import { flipBit, hasPython, judge, judgeElsewhere, nameNetwork, type ProofCase } from './second-implementation.ts'

const network = nameNetwork(NETWORK)
const trusted = { network, eraRoots: { 0: toHex(history.eraRoot) } }

function makeCase(proof: AnswerProofJson, asked: Question, known: ProofCase['trusted'] = trusted): ProofCase {
  return { proof: JSON.stringify(proof), question: asked, trusted: known }
}

/** Every kind of proof, of every shape of chunk, under an era root, a period root and none. */
async function makeHonestCases(): Promise<ProofCase[]> {
  const made = makePeriod(9, { 1: [lostOperation(), call(5, 3000)], 2: [], 30: [call(6, 1)] }, 2048)
  const own = new MadeHistory([made])
  const asTrusted = { network, eraRoots: { 0: toHex(own.eraRoot) } }
  const byPeriod = { periodRoots: { 9: toHex(computePeriodRoot(made.manifest)) } }
  own.readSeals = async (number) => (number === 9 ? made.seals : undefined)
  const cases = [
    makeCase(honest, question),
    makeCase(honest, question, {}),
    makeCase(await buildBlockProof(history, slot), { kind: 'block-at', slot }),
    makeCase(await buildPeriodProof(own, 100), { kind: 'period', period: 100 }, asTrusted),
    makeCase(
      await buildMissProof(own, { period: 9, thread: 3 }),
      { kind: 'slot-empty', slot: { period: 9, thread: 3 } },
      asTrusted,
    ),
  ]
  for (const { thread, id, operationIds } of made.blocks) {
    const at = { period: 9, thread }
    cases.push(makeCase(await buildBlockProof(own, at), { kind: 'block', id }, asTrusted))
    const endorsement = endorsementIdOf(at)
    const asEndorsement = { kind: 'endorsement', id: endorsement } as const
    cases.push(makeCase(await buildEndorsementProof(own, at, endorsement), asEndorsement, asTrusted))
    for (const one of operationIds) {
      const proof = await buildOperationProof(own, at, one)
      cases.push(makeCase({ ...proof, era: null, seals: null }, { kind: 'operation', id: one }, byPeriod))
    }
  }
  return cases
}

/** Every byte of the era of a proof with one bit changed, for readers who trust the era, the period, or both. */
async function listEraFlips(): Promise<ProofCase[]> {
  const text = JSON.stringify(await buildPeriodProof(history, 9))
  const periodRoots = { 9: toHex(computePeriodRoot(period.manifest)) }
  const start = text.indexOf('"era":{')
  const asked = { kind: 'period', period: 9 } as const
  return Array.from({ length: text.indexOf('"seals"') - start }, (_, i) => {
    const known = [trusted, { periodRoots }, { ...trusted, periodRoots }][i % 3] ?? trusted
    return { proof: flipBit(text, start + i, Math.floor(i / 3)), question: asked, trusted: known }
  })
}

/** Texts that are no proof, or are only to one of two readers who are not careful. */
function listOddTexts(): string[] {
  const text = JSON.stringify(honest)
  return [
    '',
    '[]',
    'null',
    text.replace('"period":9', '"period":9.0'),
    text.replace('"period":9', '"period":9e0'),
    text.replace('"period":9', '"period":09'),
    text.replace('"period":9', '"period":-9'),
    text.replace('"index":0', '"index":-0'),
    text.replace('"thread":2', '"thread":-1'),
    text.replace('"thread":2', '"thread":true'),
    text.replace('"period":9', '"period":9007199254740992'),
    text.replace('"period":9', `"period":${'9'.repeat(5000)}`),
    text.replace('"chainId":"77"', `"chainId":"${'9'.repeat(5000)}"`),
    text.replace('"chainId":"77"', '"chainId":"٧٧"'),
    text.replace('"period":9', '"period":NaN'),
    text.replace('"era":{', '"era":-1,"eras":{'),
    `${' '.repeat(1024 * 1024)}${text}`,
    '['.repeat(9),
    `${text}\u0000`,
    `\ufeff${text}`,
  ]
}

describe('core/reading: the second implementation', () => {
  const title = 'agrees about right proofs, lies, odd texts and flipped bytes'
  it(hasPython ? title : `${title} (skipped: there is no python3)`, async function () {
    if (!hasPython) return this.skip()
    const right = await makeHonestCases()
    for (const one of right) assert('checks' in judge(one), JSON.stringify([one.question, judge(one)]))
    const text = JSON.stringify(honest)
    const wrong = [
      ...Object.values(LIES).map(([, change]) => makeCase(bend(honest, change), question)),
      ...Object.values(LIES).map(([, change]) => makeCase(bend(honest, change), question, {})),
      ...[await moveTo(1), await moveTo(2), await moveTo(13)].map((proof) => makeCase(proof, question, {})),
      ...listOddTexts().map((proof) => ({ proof, question, trusted })),
      // Every 97th byte, so that all fields are among them.
      ...Array.from({ length: Math.floor(text.length / 97) }, (_, i) => ({
        proof: flipBit(text, 97 * i, i),
        question,
        trusted,
      })),
    ]
    assert(period.blocks.length > 2 && wrong.length > 150)
    const ofEras = await listEraFlips()
    assert(ofEras.every((one) => 'refused' in judge(one) || one.trusted.eraRoots === undefined))
    const cases = [...right, ...wrong, ...ofEras]
    assert.deepEqual(await judgeElsewhere(cases), cases.map(judge))
  })

  const ofRanges = 'agrees about certificates of completeness, lies and flipped bytes of them'
  it(hasPython ? ofRanges : `${ofRanges} (skipped: there is no python3)`, async function () {
    if (!hasPython) return this.skip()
    const asked = { kind: 'periods', ...RANGE } as const
    const known = { network, eraRoots: Object.fromEntries(eraRoots.map((root, era) => [era, toHex(root)])) }
    const text = JSON.stringify(certificate)
    const last = { kind: 'periods', from: 390, to: LAST } as const
    const cases: ProofCase[] = [
      { proof: text, question: asked, trusted: known },
      {
        proof: text,
        question: asked,
        trusted: { periodRoots: { 100: toHex(computePeriodRoot(periods[100]?.manifest ?? assert.fail())) } },
      },
      { proof: JSON.stringify(await buildCompleteness(source, last)), question: last, trusted: known },
      { proof: text, question: last, trusted: known },
      ...Object.values(RANGE_LIES).map(([, change]) => {
        return { proof: JSON.stringify(bend(certificate, change)), question: asked, trusted: known }
      }),
      ...Array.from({ length: 60 }, (_, i) => {
        return { proof: flipBit(text, (7919 * i) % text.length, i), question: asked, trusted: known }
      }),
    ]
    const results = cases.map(judge)
    assert.equal(results.filter((result) => 'roots' in result).length, 3)
    assert.deepEqual(await judgeElsewhere(cases), results)
  })
})
