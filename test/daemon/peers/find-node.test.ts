import assert from 'node:assert/strict'
import { findNode } from '../../../daemon/peers/find-node.ts'

const ALICE = { address: 'AU1alice1111', peer: '12D3KooWalice', operator: 'node_A' }
const BOB = { address: 'AU1bob222222', operator: 'node_B' }
const CAROL = { address: 'AU1bob233333', peer: '12D3KooWcarol', operator: '' }
const NODES = [ALICE, BOB, CAROL]

describe('daemon/find-node', () => {
  it('finds a node by address, by PeerId, by the beginning of one, and by its name', () => {
    for (const name of [ALICE.address, ALICE.peer, 'AU1ali', '12D3KooWa', 'node_A']) {
      assert.equal(findNode(NODES, name), ALICE.address, name)
    }
    assert.equal(findNode(NODES, 'node_B'), BOB.address)
    // Known twice, as connected and as registered.
    assert.equal(findNode([...NODES, { address: CAROL.address }], 'AU1bob23'), CAROL.address)
  })

  it('a name is whole, and no name is nobody', () => {
    for (const name of ['node_', 'NODE_A', 'AU1al', '', 'dave']) assert.equal(findNode(NODES, name), undefined, name)
  })

  it('error: what several are called by is ambiguous, and says who they are', () => {
    const ambiguous = (message: RegExp) => ({ code: 'API_NAME_AMBIGUOUS', message })
    assert.throws(
      () => findNode(NODES, 'AU1bob2'),
      ambiguous(/^2 nodes are called AU1bob2: AU1bob222222, AU1bob233333$/),
    )
    const more = Array.from({ length: 7 }, (_, i) => ({ address: `AU1many${i}`, operator: 'many' }))
    assert.throws(() => findNode(more, 'many'), ambiguous(/^7 nodes .*: AU1many0, .*, AU1many4 and 2 more$/))
  })

  it('adversary: who takes the name of another makes it ambiguous, and cannot take its address', () => {
    const mallory = { address: 'AU1mallory11', operator: ALICE.operator }
    assert.throws(() => findNode([...NODES, mallory], 'node_A'), { code: 'API_NAME_AMBIGUOUS' })
    assert.equal(findNode([{ ...mallory, operator: ALICE.address }, ...NODES], ALICE.address), ALICE.address)
    assert.equal(findNode([{ ...mallory, operator: ALICE.peer }, ...NODES], ALICE.peer), ALICE.address)
  })
})
