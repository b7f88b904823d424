import assert from 'node:assert/strict'

type Route = import('../../explorer/routes.ts').Route

const { href } = new URL('../../explorer/routes.ts', import.meta.url)
const { formatRoute, parseRoute, recognise } = (await import(href)) as typeof import('../../explorer/routes.ts')

const BLOCK = 'B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu'
const OPERATION = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
const CHUNK = '0c'.repeat(32)
const ADDRESS = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'

describe('explorer/routes', () => {
  it('knows what was searched for', () => {
    const slot: Route = { kind: 'slot', slot: { period: 5300, thread: 7 } }
    const known: Readonly<Record<string, Route>> = {
      [BLOCK]: { kind: 'block', id: BLOCK },
      [` ${OPERATION}\n`]: { kind: 'operation', id: OPERATION },
      [`E${OPERATION.slice(1)}`]: { kind: 'endorsement', id: `E${OPERATION.slice(1)}` },
      [ADDRESS]: { kind: 'address', id: ADDRESS },
      [CHUNK.toUpperCase()]: { kind: 'chunk', id: CHUNK },
      '5300': { kind: 'period', period: 5300 },
      '5300/7': slot,
      '(5300, 7)': slot,
      '5300 7': slot,
      '5300:7': slot,
    }
    for (const [text, route] of Object.entries(known)) assert.deepEqual(recognise(text), route, text)
  })

  it('knows what nothing is called', () => {
    for (const text of ['', 'B1', '5300/32', '-1', '1.5', '99999999999999999', `${BLOCK}/1`, 'javascript:alert(1)']) {
      assert.deepEqual(recognise(text), { kind: 'unknown', text }, text)
    }
  })

  it('reads each of its links', () => {
    const routes: readonly Route[] = [
      { kind: 'front' },
      { kind: 'trust' },
      { kind: 'block', id: BLOCK },
      { kind: 'operation', id: OPERATION },
      { kind: 'chunk', id: CHUNK },
      { kind: 'endorsement', id: 'E1 ?/#%' },
      { kind: 'address', id: ADDRESS },
      { kind: 'address', id: ADDRESS, cursor: '1'.repeat(100) },
      { kind: 'address', id: ADDRESS, periods: { from: 5, to: 9 } },
      { kind: 'address', id: ADDRESS, periods: { from: 0, to: 0 }, cursor: '1/2' },
      { kind: 'slot', slot: { period: 0, thread: 31 } },
      { kind: 'period', period: Number.MAX_SAFE_INTEGER },
      { kind: 'unknown', text: '<b>%' },
    ]
    for (const route of routes) assert.deepEqual(parseRoute(formatRoute(route)), route)
    assert.deepEqual(parseRoute(''), { kind: 'front' })
  })

  it('refuses links that are none', () => {
    for (const hash of [
      '#/slot/1/32',
      '#/slot/1',
      '#/period/-1',
      '#/block',
      '#/block/a/b',
      '#/x/y',
      '#/%',
      '#/period/1e3',
      `#/address/${'1'.repeat(101)}`,
      `#/address/${ADDRESS}/${'1'.repeat(101)}`,
      `#/address/${ADDRESS}/periods`,
      `#/address/${ADDRESS}/periods/9/5`,
      `#/address/${ADDRESS}/periods/5/x`,
      `#/address/${ADDRESS}/periods/5/9/${'1'.repeat(101)}`,
      `#/address/${ADDRESS}/periods/5/9/1/2`,
      `#/address/${ADDRESS}/1/2`,
    ]) {
      assert.equal(parseRoute(hash).kind, 'unknown', hash)
    }
  })
})
