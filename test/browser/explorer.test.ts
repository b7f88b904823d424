import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildOperationProof,
  buildPeriodProof,
  parseAddress,
  toHex,
  verifyProof,
} from '../../core/index.ts'
import * as lies from '../core/reading/lies.ts'
import { lostOperation, MadeHistory, makePeriod } from '../core/reading/made-history.ts'
import { startChromium } from './chromium.ts'
import { type Json, LIES } from './explorer-lies.ts'
import { type ExplorerSite, openExplorerSite } from './explorer-site.ts'
import { HOSTILE_ANSWERS, HOSTILE_PAGES, WORD } from './hostile-answers.ts'
import { listRecordedSlots, type RecordedSlot } from './recorded-source.ts'

describe('the explorer in a browser', function () {
  this.timeout(60_000)
  let site: ExplorerSite
  let browser: Browser
  let page: Page
  /** Of a period with operations and empty slots. */
  let slots: readonly RecordedSlot[]
  let busy: RecordedSlot & { readonly blockId: string }
  let empty: RecordedSlot
  /** What the page asked for, and what it complained about. */
  const asked: string[] = []
  const complaints: string[] = []

  before(async () => {
    site = await openExplorerSite()
    slots = listRecordedSlots(site.periods).filter(({ slot }) => slot.period === 8)
    const first = slots.find(({ operationIds }) => operationIds.length > 1)
    assert(first?.blockId)
    busy = { ...first, blockId: first.blockId }
    empty = slots.find(({ blockId }) => blockId === undefined) ?? assert.fail('no empty slot')
    browser = await startChromium()
    page = await browser.newPage({ viewport: { width: 360, height: 780 } })
    page.on('request', (request) => asked.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // Of a status that is no success Chromium says so.
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text())
    })
    await page.goto(site.url)
  })
  after(async () => {
    await browser?.close()
    await site?.close()
  })
  beforeEach(async () => {
    // Nothing is trusted yet.
    await page.evaluate('localStorage.clear()')
    asked.length = 0
  })
  afterEach(async () => {
    await page.unrouteAll()
    assert.deepEqual(complaints, [])
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(site.url)),
      [],
    )
  })

  /** Goes to a page, which is there then, and its mark not yet. */
  async function goTo(hash: string): Promise<void> {
    await page.evaluate(
      `new Promise((resolve) => {
        if (location.hash === ${JSON.stringify(`#/${hash}`)}) location.hash = '#/search/elsewhere'
        addEventListener('hashchange', () => location.hash === ${JSON.stringify(`#/${hash}`)} && resolve())
        location.hash = ${JSON.stringify(`#/${hash}`)}
      })`,
    )
  }

  /** @returns which mark the page has */
  async function open(hash: string): Promise<string> {
    await goTo(hash)
    const mark = page.locator('main .mark:not(.busy)').first()
    await mark.waitFor()
    return (await mark.getAttribute('class')) ?? ''
  }

  async function trust(roots: string): Promise<void> {
    await goTo('trust')
    await page.getByLabel('Roots that you trust').fill(roots)
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByText('Kept.').waitFor()
  }

  const shownText = () => page.locator('main .shown').innerText()
  const markText = async () => (await page.locator('main .mark').allInnerTexts()).join('\n')
  /** What stands beside its values as the word of the archive, by the names of the fields. */
  const claimedFields = () => page.locator('dl > div:has(.word:visible) dt').allInnerTexts()
  const answer = (path: string, json: object) => page.route(`**/v1/${path}*`, (route) => route.fulfill({ json }))

  /** The archive, or who stands before it, answers something else. */
  async function lie(path: string, change: (answer: Json) => Json | Promise<Json>): Promise<void> {
    await page.route(`**/${path}*`, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: await change((await response.json()) as Json) })
    })
  }

  const answerTo = async (path: string) => (await (await fetch(`${site.url}${path}?proof=true`)).json()) as Json

  it('shows what is archived, and leads to a period', async () => {
    await goTo('')
    await page.getByRole('link', { name: '8', exact: true }).first().click()
    await page.getByRole('heading', { name: 'Period 8' }).waitFor()
    // Nobody vouches for its root yet.
    await page.locator('.mark.open').waitFor()
    assert.equal(await page.locator('.slots .block').count(), slots.filter(({ blockId }) => blockId).length)
  })

  it('verifies block, operation and endorsement by themselves', async () => {
    assert.equal(await open(`block/${busy.blockId}`), 'mark good')
    for (const id of busy.operationIds) assert.ok((await shownText()).includes(id))
    assert.equal(await open(`operation/${busy.operationIds[0]}`), 'mark good')
    assert.ok((await shownText()).includes(busy.blockId))
    assert.equal(await open(`endorsement/${busy.endorsementIds[0]}`), 'mark good')
    assert.ok((await shownText()).includes(busy.blockId))
    assert.match(await markText(), /2 checks by your browser/)
  })

  it('says in the open what no id binds: that it is on the chain, in which block, when and where', async () => {
    const beside = page.locator('.mark.good + .mark.open > .anchor')
    const said = async (hash: string) => {
      assert.equal(await open(hash), 'mark good')
      assert(await beside.isVisible())
      return [await page.locator('.mark.good .title').innerText(), await beside.innerText(), await claimedFields()]
    }
    const word = 'is what this archive says: no root that you trust binds it.'
    assert.deepEqual(await said(`operation/${busy.operationIds[0]}`), [
      'It is what its id names, and its creator signed it',
      `That it is on the chain, in which block, at which slot, and when, ${word}`,
      ['In block', 'At slot', 'Due'],
    ])
    assert.deepEqual(await said(`endorsement/${busy.endorsementIds[0]}`), [
      'It is what its id names, and its endorser signed it',
      `That it is on the chain, in which block, when, and of which network, ${word}`,
      ['Carried by', 'Due', 'Network'],
    ])
    // The ids of its operations hash the network, a block without any has none.
    assert.deepEqual(await said(`block/${busy.blockId}`), [
      'It is what its id names, and its producer signed it',
      `That it is on the chain, and when, ${word}`,
      ['Due'],
    ])
    const made = makePeriod(9, { 2: [] })
    const id = made.blocks[0]?.id ?? assert.fail('no block')
    await answer(`blocks/${id}`, { proof: await buildBlockProof(new MadeHistory([made]), { period: 9, thread: 2 }) })
    assert.deepEqual((await said(`block/${id}`))[2], ['Due', 'Network'])
    // Under a trusted root nothing of it is left.
    const { summary } = site.periods.find(({ summary: { period } }) => period === 8) ?? assert.fail('no period 8')
    await trust(`period 8 ${toHex(summary.root)}`)
    for (const hash of [`operation/${busy.operationIds[0]}`, `endorsement/${busy.endorsementIds[0]}`]) {
      assert.equal(await open(hash), 'mark good')
      assert.deepEqual([await page.locator('.mark').count(), await claimedFields()], [1, []])
      assert.match(
        await shownText(),
        new RegExp(`\\(8, ${busy.slot.thread}\\)${hash.startsWith('o') ? ', place 0' : ''}`),
      )
    }
  })

  it('is not sure of what nobody is shown to have signed, by its id or under a trusted root', async () => {
    const { summary } = site.periods.find(({ summary: { period } }) => period === 8) ?? assert.fail('no period 8')
    for (const path of [`blocks/${busy.blockId}`, `operations/${busy.operationIds[0]}`]) {
      const { proof } = await answerTo(`v1/${path}`)
      await answer(path, { proof: { ...(proof as object), seals: null } })
    }
    for (const roots of ['', `period 8 ${toHex(summary.root)}`]) {
      await trust(roots)
      for (const hash of [`block/${busy.blockId}`, `operation/${busy.operationIds[0]}`]) {
        assert.equal(await open(hash), 'mark open')
        assert.match(await markText(), /Not shown to be signed\s+This archive gave no signatures/)
      }
    }
  })

  it('is not sure of an operation whose content its id does not bind, whoever shows it', async () => {
    const made = makePeriod(9, { 2: [lostOperation()] })
    const id = made.blocks[0]?.operationIds[0] ?? assert.fail('no operation')
    const history = new MadeHistory([made])
    const slot = { period: 9, thread: 2 }
    await answer(`operations/${id}`, { operation: {}, proof: await buildOperationProof(history, slot, id) })
    assert.equal(await open(`operation/${id}`), 'mark open')
    assert.match(await page.locator('.mark > p').first().innerText(), /lost the original of an operation here/)
    const blockId = made.blocks[0]?.id ?? ''
    await answer(`blocks/${blockId}`, { proof: await buildBlockProof(history, slot) })
    assert.equal(await open(`block/${blockId}`), 'mark open')
    assert.match(await shownText(), /Runs bytecode \(not bound by its id\)/)
  })

  it('hashes the bytes of a chunk', async () => {
    const { manifest } = site.periods.find(({ summary: { period } }) => period === 8) ?? assert.fail('no period 8')
    const [first, second] = manifest.chunks.map(({ chunkId }) => toHex(chunkId))
    assert.equal(await open(`chunk/${first}`), 'mark good')
    assert.match(await shownText(), /4\.1 kB/)
    await page.route(`**/chunk/${second}`, (route) => route.continue({ url: `${site.url}chunk/${first}` }))
    assert.equal(await open(`chunk/${second}`), 'mark bad')
    assert.match(await markText(), /CORE_READING_CHUNK_INVALID/)
  })

  it('has slots and periods fit a root, and verifies them once that is confirmed', async () => {
    const place = `slot/${empty.slot.period}/${empty.slot.thread}`
    assert.equal(await open(place), 'mark open')
    await page.getByText('Confirm the root of period 8').click()
    const { summary } = site.periods.find(({ summary: { period } }) => period === 8) ?? assert.fail('no period 8')
    assert.ok((await page.locator('.confirm').innerText()).includes(toHex(summary.root)))
    await page.getByRole('button', { name: 'I compared it: trust it' }).click()
    await page.locator('.mark.good').waitFor()
    assert.match(await shownText(), /No block stands at this slot/)
    for (const other of ['period/8', `slot/8/${busy.slot.thread}`]) assert.equal(await open(other), 'mark good')
    // Another root there: the same answer is refused.
    await trust(`period 8 ${'0'.repeat(64)}`)
    assert.equal(await open('period/8'), 'mark bad')
    assert.equal(await page.locator('main .shown').count(), 0)
  })

  it('holds a confirmed root while it is open where the browser keeps nothing', async () => {
    await page.evaluate('Storage.prototype.setItem = () => { throw new Error("full") }')
    assert.equal(await open('period/8'), 'mark open')
    await page.getByText('Confirm the root of period 8').click()
    await page.getByRole('button', { name: 'I compared it: trust it' }).click()
    await page.locator('.mark.good').waitFor()
    // Without what this page remembers.
    await page.reload()
  })

  it('takes an operation for that of the chain whose era root is trusted, and refuses it for another root', async () => {
    const { id } = lies.question as { id: string }
    const eraRoot = toHex(lies.history.eraRoot)
    const show = (proof: AnswerProofJson) => answer(`operations/${id}`, { operation: {}, proof })
    await show(lies.honest)
    await trust(`era 0 ${eraRoot}`)
    assert.equal(await open(`operation/${id}`), 'mark good')
    assert.match(await markText(), /Anchor: the root of era 0, which you confirmed/)
    assert.ok((await page.locator('.mark .checks').textContent())?.includes(`Era root ${eraRoot}`))
    const other = '5e'.repeat(32)
    await trust(`era 0 ${other}`)
    assert.equal(await open(`operation/${id}`), 'mark bad')
    assert.match(await markText(), new RegExp(`for era 0 you trust the root ${other}, .* leads to ${eraRoot}`))
    assert.equal(await page.locator('main .shown').count(), 0)
    // Of another era: its id alone binds it.
    await trust(`era 1 ${other}`)
    assert.equal(await open(`operation/${id}`), 'mark good')
    assert.match(await markText(), /no root that you trust binds it. No root that you trust is of era 0 or of period 9/)
    // Under the root of its period alone, the era is the archive's word.
    const proof = await buildPeriodProof(lies.history, 9)
    await answer('periods/9', { proof })
    await trust(`period 9 ${toHex(verifyProof(proof, { kind: 'period', period: 9 }).periodRoot)}`)
    assert.equal(await open('period/9'), 'mark good')
    assert.deepEqual(await claimedFields(), ['Era root'])
    assert.match((await page.locator('.mark .gap').textContent()) ?? '', /root of the era .* was compared with nothing/)
    // Who lies leaves out what shows it.
    await trust(`era 0 ${eraRoot}`)
    await show({ ...lies.honest, era: null })
    assert.equal(await open(`operation/${id}`), 'mark bad')
    assert.match(await markText(), new RegExp(`does not lead to the root that you trust for era 0, ${eraRoot}`))
  })

  for (const [name, [code, tell]] of Object.entries(LIES)) {
    it(`shows ${name} as a lie, and nothing of it: ${code}`, async () => {
      assert.equal(await open(await tell({ slots, busy, lie, answerTo })), 'mark bad')
      assert.match(await markText(), new RegExp(code))
      assert.equal(await page.locator('main .shown').count(), 0)
    })
  }

  it('shows what a proof says, not what stands beside it', async () => {
    const id = busy.operationIds[0] ?? ''
    const markup = '<img src=x onerror=alert(1)>'
    await lie(`v1/operations/${id}`, ({ proof }) => ({
      operation: { creator: markup, feeNanoMas: '7', execution: { outcome: markup } },
      proof,
    }))
    assert.equal(await open(`operation/${id}`), 'mark good')
    assert.doesNotMatch(await shownText(), /onerror|0\.000000007/)
    assert.equal(await page.locator('main img').count(), 0)
  })

  it('takes texts from outside for texts', async () => {
    await goTo(`search/${encodeURIComponent('<img src=x onerror=alert(1)>')}`)
    await page.getByText('<img src=x onerror=alert(1)>').waitFor()
    await lie('v1/blocks/', () => ({ code: '<b>', detail: '<img src=x onerror=alert(1)>' }))
    assert.equal(await open(`block/${busy.blockId}`), 'mark bad')
    assert.equal(await page.locator('main img, main b').count(), 0)
  })

  it('asks an archive again that is asked too much', async () => {
    let refused = 0
    await page.route('**/v1/periods/8*', (route) => {
      if (++refused > 2) return route.continue()
      return route.fulfill({ status: 429, headers: { 'retry-after': '0' }, json: { code: 'API_RATE_EXCEEDED' } })
    })
    assert.equal(await open('period/8'), 'mark open')
    assert.match(await shownText(), /Period root/)
  })

  it('says what is not archived, and what no id is', async () => {
    assert.equal(await open('period/99999'), 'mark open')
    assert.match(await markText(), /Not in this archive[\s\S]*API_HISTORY_UNKNOWN/)
    assert.equal(await open('block/B1'), 'mark open')
    assert.match(await markText(), /CORE_BASE58_INVALID/)
  })

  describe('lists of an address', () => {
    let address: string
    const path = () => `v1/addresses/${address}/operations`
    before(async () => {
      const { operation } = await answerTo(`v1/operations/${busy.operationIds[0]}`)
      address = (operation as { creator: string }).creator
    })
    const check = async () => {
      await page.getByRole('button', { name: 'Check that nothing is left out' }).click()
      const mark = page.locator('.completeness .mark:not(.busy)')
      await mark.waitFor()
      return `${await mark.getAttribute('class')}: ${await mark.innerText()}`
    }
    const allRoots = () =>
      site.periods.map(({ summary: { period, root } }) => `period ${period} ${toHex(root)}`).join('\n')

    it('are what this archive says until trusted roots bind each operation', async () => {
      assert.equal(await open(`address/${address}`), 'mark open')
      assert.match(await markText(), /0 of \d+ operations bound by a root that you trust\s+\d+ as this archive says/)
      assert.equal(await page.locator('.operations .good').count(), 0)
      assert.equal(await page.locator('.operations .open .word').count(), await page.locator('.operations li').count())
      await trust(allRoots())
      assert.equal(await open(`address/${address}`), 'mark good')
      assert.equal(await page.locator('.operations .word').count(), 0)
    })

    for (const [name, isSigned] of [
      ['by a stranger', true],
      ['by nobody', false],
    ] as const) {
      it(`hostile: a payment that never was, signed ${name}, is not green`, async () => {
        const body = { kind: 'transaction', recipient: parseAddress(address), amountNanoMas: 10n ** 15n } as const
        const made = makePeriod(9, { 2: [{ feeNanoMas: 1n, expirePeriod: 12n, body }] })
        const id = made.blocks[0]?.operationIds[0] ?? assert.fail('no operation')
        const slot = { period: 9, thread: 2 }
        const proof = await buildOperationProof(new MadeHistory([made]), slot, id)
        await answer(`addresses/${address}/operations`, {
          operations: [{ operationId: id, inclusions: [{ slot }] }],
          cursor: null,
        })
        await answer(`operations/${id}`, { proof: isSigned ? proof : { ...proof, seals: null } })
        assert.equal(await open(`address/${address}`), 'mark open')
        assert.equal(await page.locator('.operations .open .word:visible').count(), 1)
        assert.match(await markText(), isSigned ? /1 as this archive says/ : /1 without signatures/)
      })
    }

    it('are compared with all blocks of the periods that the reader chose', async () => {
      await trust(allRoots())
      await open(`address/${address}`)
      await page.getByLabel('From period').fill('9')
      await page.getByLabel('to period').fill('7')
      await page.getByRole('button', { name: 'Choose' }).click()
      await page.getByText('These are no periods').waitFor()
      await page.getByLabel('From period').fill('6')
      await page.getByLabel('to period').fill('8')
      await page.getByRole('button', { name: 'Choose' }).click()
      await page.getByText('in periods 6 to 8, newest first').waitFor()
      assert.match(await check(), /^mark good: .\s*In periods 6 to 8 nothing is left out/)
    })

    it('hostile: a range that the archive names is its word, though roots bind all of it', async () => {
      await trust(allRoots())
      await lie('v1/archive', (overview) => ({ ...overview, first: 3, last: 3 }))
      await lie(path(), () => ({ operations: [], cursor: null }))
      await open(`address/${address}`)
      const text = await check()
      assert.match(text, /^mark open: .\s*In periods 3 to 3, all that this archive says it has, nothing is left out/)
      assert.match(text, /By your clock the chain is at period \d+/)
    })

    it('are shown to leave something out', async () => {
      let left: string | undefined
      await lie(path(), ({ operations, ...others }) => {
        const [first, ...kept] = operations as { operationId: string }[]
        left = first?.operationId
        return { ...others, operations: kept }
      })
      await open(`address/${address}`)
      const text = await check()
      assert.match(text, /The list is wrong/)
      assert.ok(left !== undefined && text.includes(`Left out: ${left}`))
    })

    it('are shown to have what is not of this address, or is nothing', async () => {
      const ids = (await answerTo(`v1/operations/${busy.operationIds[0]}`)).operation as Json
      const foreign = listRecordedSlots(site.periods).flatMap(({ operationIds }) => operationIds)
      await lie(path(), (answer) => ({
        ...answer,
        operations: [{ ...ids, operationId: foreign[0] }, ids],
      }))
      assert.equal(await open(`address/${address}`), 'mark bad')
      assert.match(await page.locator('.operations .bad').innerText(), /neither was made by this address/)
    })
  })

  it('fits into 360 pixels, whatever an archive or a link says', async () => {
    for (const [path, { status = 200, json }] of Object.entries(HOSTILE_ANSWERS)) {
      await page.route(`**/v1/${path}`, (route) => route.fulfill({ status, json }))
    }
    const width = () => page.evaluate('document.documentElement.scrollWidth')
    const honest = [`block/${busy.blockId}`, `endorsement/${busy.endorsementIds[0]}`, 'period/8', 'slot/8/1']
    for (const hash of [...honest, ...HOSTILE_PAGES]) {
      await goTo(hash)
      await page.locator('main .mark.busy').waitFor({ state: 'detached' })
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true')
      assert.equal(await width(), 360, hash)
    }
    await goTo('trust')
    await page.getByLabel('Roots that you trust').fill(WORD)
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByText('This is no root').waitFor()
    assert.equal(await width(), 360)
  })

  it('is driven by the keyboard alone', async () => {
    const { keyboard } = page
    /** Tabs on to what has this name. */
    const tabTo = async (name: string | RegExp) => {
      for (let tabs = 0; tabs < 60; tabs++) {
        await keyboard.press('Tab')
        const focused = page.locator(':focus')
        if ((await focused.count()) === 0) continue
        const text = `${(await focused.getAttribute('aria-label')) ?? ''}${await focused.innerText()}`
        if (typeof name === 'string' ? text === name : name.test(text)) {
          // It is seen where it is.
          assert.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid', text)
          return
        }
      }
      assert.fail(`no way to ${name} by the keyboard`)
    }
    await page.goto('about:blank')
    await page.goto(site.url)
    await page.locator('table').waitFor()
    await keyboard.press('Tab')
    assert.equal(await page.locator(':focus').innerText(), 'Skip to content')
    await keyboard.press('Enter')
    assert.equal(await page.locator(':focus').getAttribute('id'), 'main')
    await page.getByLabel('Block, operation').focus()
    await keyboard.type(`8/${busy.slot.thread}`)
    await keyboard.press('Enter')
    await page.locator('.mark.open').waitFor()
    // On a new page the focus is at its heading.
    assert.match(await page.locator(':focus').innerText(), /^Slot/)
    await tabTo('Confirm the root of period 8')
    await keyboard.press('Enter')
    await tabTo('I compared it: trust it')
    await keyboard.press('Enter')
    await page.locator('.mark.good').waitFor()
    await tabTo(busy.operationIds[0] ?? '')
    await keyboard.press('Enter')
    await page.getByRole('heading', { name: `Operation ${busy.operationIds[0]}` }).waitFor()
    await page.locator('.mark.good').waitFor()
    await tabTo(`(8, ${busy.slot.thread})`)
    await keyboard.press('Enter')
    await page.getByRole('heading', { name: /^Slot/ }).waitFor()
    await page.locator('.mark.good').waitFor()
    await tabTo('Period 8')
    await keyboard.press('Enter')
    await page.locator('.mark.good').waitFor()
    await tabTo(`Thread ${empty.slot.thread}: no block${empty.slot.thread}`)
    await keyboard.press('Enter')
    await page.getByText('No block stands at this slot').waitFor()
  })
})
