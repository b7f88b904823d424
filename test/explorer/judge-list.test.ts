import assert from 'node:assert/strict'
import type { OperationDescription } from '../../core/verify.ts'

type Outcome = import('../../explorer/worker-messages.ts').Outcome
type Standing = import('../../explorer/standing.ts').Standing

const { href } = new URL('../../explorer/judge-list.ts', import.meta.url)
const { judgeList, judgeRow } = (await import(href)) as typeof import('../../explorer/judge-list.ts')

const slot = { period: 9, thread: 2 }
const OWN = 'AU1own'

function proven(standing: Standing, fields: { creator?: string; recipient?: string; target?: string } = {}): Outcome {
  const { creator = OWN, ...body } = fields
  const operation = { creator, body } as unknown as OperationDescription
  const proof = { standing } as Extract<Outcome, { kind: 'proven' }>['proof']
  return { kind: 'proven', record: { kind: 'operation', slot, blockId: 'B1', position: 0, operation }, proof, said: {} }
}

const refused: Outcome = { kind: 'refused', code: 'C', message: 'no' }
const absent: Outcome = { kind: 'absent', code: 'C', message: 'no' }
const kindOf = (outcome: Outcome) => judgeRow(outcome, OWN).kind
const judged = (...outcomes: Outcome[]) => judgeList(outcomes.map((outcome) => judgeRow(outcome, OWN)))

describe('explorer/judge-list', () => {
  it('an operation that the archive lists is bound by a trusted root, or its word', () => {
    assert.equal(kindOf(proven('root')), 'bound')
    assert.equal(kindOf(proven('id')), 'said')
    assert.equal(kindOf(proven('unconfirmed')), 'said')
    assert.equal(kindOf(proven('unsigned')), 'unsigned')
    assert.equal(kindOf(refused), 'lie')
    assert.equal(kindOf(absent), 'silent')
    assert.equal(kindOf({ ...absent, kind: 'failed' }), 'silent')
  })

  it('hostile: an operation of others is a lie, whatever binds it', () => {
    assert.equal(kindOf(proven('root', { creator: 'AU1other', recipient: 'AU1another' })), 'lie')
    assert.equal(kindOf(proven('root', { creator: 'AU1other', recipient: OWN })), 'bound')
    assert.equal(kindOf(proven('root', { creator: 'AU1other', target: OWN })), 'bound')
  })

  it('a list is good where a trusted root binds each of it, and there alone', () => {
    const root = proven('root')
    assert.equal(judged(root, root).color, 'good')
    for (const other of [proven('id'), proven('unconfirmed'), proven('unsigned'), absent]) {
      assert.equal(judged(root, other).color, 'open')
    }
    assert.equal(judged(root, refused).color, 'bad')
    assert.equal(judged().color, 'open')
  })

  it('counts what is bound, and what is not', () => {
    const { title, lines } = judged(proven('root'), proven('id'), proven('id'), proven('unsigned'), absent)
    assert.equal(title, '1 of 5 operations bound by a root that you trust')
    assert.deepEqual(
      lines.map((line) => /^(\d|Open)/.exec(line)?.[0]),
      ['2', '1', '1', 'Open'],
    )
    assert.match(judged(refused, proven('id')).title, /lies: 1 of 2 operations/)
  })
})
