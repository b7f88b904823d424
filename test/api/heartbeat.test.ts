import assert from 'node:assert/strict'
import { withHeartbeat } from '../../api/heartbeat.ts'
import { createApi } from '../../api/index.ts'
import type { Store } from '../../storage-worker/index.ts'

/** A promise, and what resolves it. */
function makeGate() {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

async function collect(rows: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const row of rows) all.push(row)
  return all
}

describe('api/heartbeat', () => {
  it('beats while there is nothing to say, and loses and delays no row', async () => {
    const gate = makeGate()
    async function* rows() {
      yield 'a'
      await gate.opened
      yield 'b'
    }
    const got: string[] = []
    for await (const row of withHeartbeat(rows(), '-', 1)) {
      got.push(row)
      if (got.filter((each) => each === '-').length === 3) gate.open()
    }
    assert.deepEqual(got.slice(0, 4), ['a', '-', '-', '-'])
    assert.deepEqual(
      got.filter((each) => each !== '-'),
      ['a', 'b'],
    )
  })

  it('says nothing besides where rows come', async () => {
    async function* rows() {
      yield* ['a', 'b', 'c']
    }
    assert.deepEqual(await collect(withHeartbeat(rows(), '-', 60_000)), ['a', 'b', 'c'])
  })

  it('error: what the rows fail with comes through', async () => {
    async function* rows(): AsyncGenerator<string> {
      yield 'a'
      throw new Error('damaged')
    }
    await assert.rejects(collect(withHeartbeat(rows(), '-', 60_000)), /damaged/)
  })

  it('ends the rows with their reader', async () => {
    let ended = false
    async function* rows() {
      try {
        for (;;) yield 'a'
      } finally {
        ended = true
      }
    }
    for await (const _row of withHeartbeat(rows(), '-', 60_000)) break
    assert.equal(ended, true)
  })

  it('a query that takes long says meanwhile that it is worked on', async () => {
    const gate = makeGate()
    const store = {
      chunks: { readRange: () => gate.opened.then(() => undefined), applyRetention: async () => undefined },
    }
    const api = createApi(
      {
        dataDirNames: new Set(),
        status: async () => ({ problems: [] }),
        query: { store: store as unknown as Store, threads: 1 },
      },
      { heartbeatMs: 1 },
    )
    const url = await api.listen({ host: '127.0.0.1', port: 0 })
    try {
      const answer = await fetch(`${url}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'prune', dryRun: true, retentionPeriods: 0 }),
      })
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
      assert(reader)
      assert.match((await reader.read()).value ?? '', /^\{"working":true\}\n/)
      gate.open()
      let rest = ''
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) rest += piece.value
      assert.match(rest, /\{"result":\{"dryRun":true,.*\n$/)
    } finally {
      await api.close()
    }
  })
})
