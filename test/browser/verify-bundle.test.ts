import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  type ErrorCode,
  isArchiveError,
  type Period,
  type ProofSource,
  type Question,
  toHex,
  verifyProof,
} from '../../core/index.ts'
import { history, honest, LIES, period, question } from '../core/reading/lies.ts'
import { bend, call, MadeHistory, type MutableProof, makePeriod } from '../core/reading/made-history.ts'
import { RECORDINGS } from '../devnet/fixture.ts'
import { readRecordedPeriods } from '../recorded-periods.ts'
import { bundleForBrowsers } from './bundles.ts'
import { openPage, startChromium } from './chromium.ts'
import { servePage } from './page-server.ts'
import { listRecordedSlots, type RecordedSlot, recordedSource } from './recorded-source.ts'

const MAX_BUNDLE_BYTES = 60_000
/** Several per period, so that proofs have siblings and several chunks. */
const CHUNK_SIZE_BYTES = 4096

/** So many of a period are enough. */
const MAX_THREAD = 12

/** What is verified, and with which roots: of a period or of an era, in hex. */
interface Case {
  readonly proof: AnswerProofJson | string
  readonly question: Question
  readonly trusted?: { readonly periodRoots?: Readonly<Record<Period, string>>; readonly eraRoot?: string }
}

/** Names of the checks, or the code of the refusal. */
type Verdict = string

describe('massa-storage/verify in a browser', function () {
  this.timeout(60_000)
  let bundle: Uint8Array
  let served: Awaited<ReturnType<typeof servePage>>
  let browser: Browser
  let page: Page
  let slots: readonly RecordedSlot[]
  let source: ProofSource
  let periodRoots: Readonly<Record<Period, string>>

  before(async () => {
    const scripts = await bundleForBrowsers()
    bundle = scripts.get('browser/verify.js') ?? assert.fail('no bundle')
    served = await servePage(scripts)
    browser = await startChromium()
    page = await openPage(browser, served.url)
    const { periods } = await readRecordedPeriods(RECORDINGS.push, CHUNK_SIZE_BYTES)
    slots = listRecordedSlots(periods)
    source = recordedSource(periods)
    periodRoots = Object.fromEntries(periods.map(({ summary }) => [summary.period, toHex(summary.root)]))
  })
  after(async () => {
    await browser?.close()
    served?.close()
  })

  function judgeInBrowser(cases: readonly Case[]): Promise<Verdict[]> {
    return page.evaluate(
      async ({ url, asked }) => {
        const module = await import(url)
        return asked.map(({ proof, question, trusted }) => {
          try {
            const { checks, trust } = module.verifyProof(proof, question, {
              findPeriodRoot: (period: number) =>
                trusted?.periodRoots?.[period] && module.fromHex(trusted.periodRoots[period]),
              findEraRoot: (era: number) => era === 0 && trusted?.eraRoot && module.fromHex(trusted.eraRoot),
            })
            return JSON.stringify([trust, checks])
          } catch (error) {
            return module.isArchiveError(error) ? (error as { code: string }).code : String(error)
          }
        })
      },
      { url: `${served.url}browser/verify.js`, asked: cases },
    )
  }

  function judgeHere({ proof, question, trusted }: Case): Verdict {
    try {
      const { checks, trust } = verifyProof(proof, question, {
        findPeriodRoot: (period) => bytesOf(trusted?.periodRoots?.[period]),
        findEraRoot: (era) => (era === 0 ? bytesOf(trusted?.eraRoot) : undefined),
      })
      return JSON.stringify([trust, checks])
    } catch (error) {
      return isArchiveError(error) ? error.code : String(error)
    }
  }

  /** Proofs of one recorded period: of some blocks, with their first operations and endorsements, and of each miss. */
  async function proveRecorded(): Promise<Case[]> {
    const cases: Case[] = []
    const add = (proof: AnswerProofJson, question: Question) =>
      cases.push({ proof, question, trusted: { periodRoots } })
    for (const { slot, blockId: id, operationIds, endorsementIds } of slots.slice(-64, -32)) {
      if (slot.thread >= MAX_THREAD && id !== undefined) continue
      if (id === undefined) {
        add(await buildMissProof(source, slot), { kind: 'slot-empty', slot })
        continue
      }
      const ofBlock = await buildBlockProof(source, slot)
      add(ofBlock, { kind: 'block', id })
      add(ofBlock, { kind: 'block-at', slot })
      const [operation] = operationIds
      if (operation !== undefined)
        add(await buildOperationProof(source, slot, operation), { kind: 'operation', id: operation })
      const [endorsement] = endorsementIds
      if (endorsement !== undefined)
        add(await buildEndorsementProof(source, slot, endorsement), { kind: 'endorsement', id: endorsement })
    }
    const { period } = slots.at(-1)?.slot ?? assert.fail('nothing recorded')
    add(await buildPeriodProof(source, period), { kind: 'period', period })
    return cases
  }

  it('weighs at most 60 KB, compressed', () => {
    const bytes = gzipSync(bundle, { level: 9 }).length
    assert(bytes <= MAX_BUNDLE_BYTES, `${bytes} bytes`)
  })

  it('verifies blocks, operations, endorsements, empty slots and periods of a real node as Node does', async () => {
    const cases = await proveRecorded()
    const kinds = new Set(cases.map(({ question }) => question.kind))
    assert.deepEqual([...kinds].sort(), ['block', 'block-at', 'endorsement', 'operation', 'period', 'slot-empty'])
    const here = cases.map(judgeHere)
    for (const verdict of here) assert.match(verdict, /^\["period-root"/)
    assert.deepEqual(await judgeInBrowser(cases), here)
  })

  it('refuses each of them with one byte flipped', async () => {
    const cases = (await proveRecorded()).map(({ proof, question, trusted }, i): Case => {
      const text = Buffer.from(JSON.stringify(proof))
      // Another place in each.
      const at = (i * 7919) % text.length
      text[at] = (text[at] ?? 0) ^ 1
      return { proof: text.toString('latin1'), question, ...(trusted ? { trusted } : {}) }
    })
    const verdicts = await judgeInBrowser(cases)
    for (const [i, verdict] of verdicts.entries()) assert.match(verdict, /^CORE_READING_/, `case ${i}`)
  })

  it('refuses every lie about an operation with the code that Node has for it', async () => {
    const trusted = { eraRoot: toHex(history.eraRoot) }
    const lies = Object.entries(LIES).filter(([, [code]]) => code !== 'CORE_READING_NETWORK_OTHER')
    const cases = lies.map(([, [, change]]) => ({ proof: bend(honest, change), question, trusted }))
    assert.deepEqual(
      await judgeInBrowser(cases),
      lies.map(([, [code]]) => code),
    )
  })

  it('refuses what a lying gateway answers', async () => {
    const [first, second] = slots.filter(({ operationIds }) => operationIds.length > 0).slice(-2)
    assert(first?.blockId && second?.blockId)
    const block = { kind: 'block', id: second.blockId } as const
    const trusted = { periodRoots }
    const ofBlock = await buildBlockProof(source, second.slot)
    const [operation = '', ...others] = second.operationIds
    const ofOperation = await buildOperationProof(source, second.slot, operation)
    const [otherOperation = ''] = others.length > 0 ? others : first.operationIds
    const older = { ...second.slot, period: second.slot.period - 1 }
    // The same history but for one operation of one block, which is left out.
    const made = { 2: [call(1, 100), call(2, 3000)] }
    const whole = new MadeHistory([makePeriod(9, made)])
    const cut = new MadeHistory([makePeriod(9, { 2: made[2].slice(0, 1) })])
    const wholeId = whole.periods.get(9)?.blocks[0]?.id ?? ''
    const cutProof = await buildBlockProof(cut, { period: 9, thread: 2 })
    const wholeProof = await buildBlockProof(whole, { period: 9, thread: 2 })
    const dropLast = ({ seals }: MutableProof) => seals?.operations.pop()
    const cases: Readonly<Record<string, readonly [ErrorCode, Case]>> = {
      'another block': ['CORE_READING_ID_OTHER', { proof: await buildBlockProof(source, first.slot), question: block }],
      'an older block': [
        'CORE_READING_SLOT_OTHER',
        { proof: ofBlock, question: { kind: 'block-at', slot: { ...second.slot, period: second.slot.period + 1 } } },
      ],
      'an older period': [
        'CORE_READING_SLOT_OTHER',
        {
          proof: await buildPeriodProof(source, older.period),
          question: { kind: 'period', period: second.slot.period },
        },
      ],
      'a truncated list, by id': [
        'CORE_READING_ID_OTHER',
        { proof: cutProof, question: { kind: 'block', id: wholeId } },
      ],
      'a truncated list, by slot': [
        'CORE_READING_ROOT_UNTRUSTED',
        {
          proof: cutProof,
          question: { kind: 'block-at', slot: { period: 9, thread: 2 } },
          trusted: { eraRoot: toHex(whole.eraRoot) },
        },
      ],
      'a truncated list of signatures': [
        'CORE_READING_SIGNATURE_INVALID',
        { proof: bend(wholeProof, dropLast), question: { kind: 'block', id: wholeId } },
      ],
      'a wrong proof': [
        'CORE_READING_LEAVES_MISSING',
        { proof: honest, question: { kind: 'block', id: period.blocks[1]?.id ?? '' } },
      ],
      'a proof without content': [
        'CORE_READING_MALFORMED',
        { proof: await buildPeriodProof(source, second.slot.period), question: block },
      ],
      'the right proof of another operation': [
        others.length > 0 ? 'CORE_READING_LEAVES_MISSING' : 'CORE_READING_ID_OTHER',
        { proof: ofOperation, question: { kind: 'operation', id: otherOperation } },
      ],
      'a block said to be a miss': [
        'CORE_READING_SLOT_TAKEN',
        {
          proof: await buildPeriodProof(source, second.slot.period),
          question: { kind: 'slot-empty', slot: second.slot },
        },
      ],
      'a miss by a made up bitmap': [
        'CORE_READING_ROOT_UNTRUSTED',
        {
          proof: { ...(await buildPeriodProof(source, second.slot.period)), bitmap: '00000000' },
          question: { kind: 'slot-empty', slot: second.slot },
          trusted,
        },
      ],
      'no proof': ['CORE_READING_MALFORMED', { proof: '{}', question: block }],
    }
    const named = Object.entries(cases)
    const verdicts = await judgeInBrowser(named.map(([, [, asked]]) => asked))
    assert.deepEqual(
      Object.fromEntries(named.map(([name], i) => [name, verdicts[i]])),
      Object.fromEntries(named.map(([name, [code]]) => [name, code])),
    )
  })
})

function bytesOf(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : new Uint8Array(Buffer.from(hex, 'hex'))
}
