import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import { askInTurn } from '../../../storage-worker/placement/ask-in-turn.ts'

describe('storage-worker/placement/ask-in-turn', () => {
  const { signal } = new AbortController()

  /** Of nodes by name; an error is thrown. */
  async function ask(answers: Readonly<Record<string, string | Error>>, stop: AbortSignal = signal) {
    const asked: string[] = []
    const send = async (node: string): Promise<string> => {
      asked.push(node)
      const answer = answers[node]
      if (typeof answer === 'string') return answer
      throw answer
    }
    const answer = await askInTurn(Object.keys(answers), send, stop).catch((error: unknown) => error)
    return { asked, answer }
  }
  const away = (name: string): ArchiveError => new ArchiveError('ARCHIVER_NODE_UNREACHABLE', name)

  it('asks one after the other until one can tell', async () => {
    assert.deepEqual(await ask({ a: away('a'), b: 'told', c: 'too' }), { asked: ['a', 'b'], answer: 'told' })
  })

  it('error: that of the first when none can tell, and one when there is none', async () => {
    const first = away('a')
    assert.deepEqual(await ask({ a: first, b: away('b') }), { asked: ['a', 'b'], answer: first })
    assert.equal(((await ask({})).answer as ArchiveError).code, 'ARCHIVER_NODE_UNREACHABLE')
  })

  it('error: a bug is thrown at once', async () => {
    const bug = new TypeError('a bug')
    assert.deepEqual(await ask({ a: bug, b: 'told' }), { asked: ['a'], answer: bug })
  })

  it('asks nobody else once it is stopped', async () => {
    const stopping = new AbortController()
    stopping.abort(new Error('stopped'))
    const { asked, answer } = await ask({ a: away('a'), b: 'told' }, stopping.signal)
    assert.deepEqual([asked, (answer as Error).message], [['a'], 'stopped'])
  })
})
