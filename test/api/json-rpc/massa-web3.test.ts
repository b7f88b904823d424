import assert from 'node:assert/strict'
import { OperationStatus } from '@massalabs/massa-web3'
import { ALICE } from '../../devnet/node/massa-web3/web3-face.ts'
import { CASES, type Case, type Client, listSent, OF_OPERATIONS, SENT } from './web3-cases.ts'
import { openWeb3Stage, outcomeOf, type Web3Stage } from './web3-stage.ts'

describe('massa-web3 at an archive and at the node that it is of', function () {
  this.timeout(60_000)
  let stage: Web3Stage
  before(async () => {
    stage = await openWeb3Stage()
  })
  after(() => stage.close())

  const outcome = (ask: Case[1], client: Client) => outcomeOf(ask, client, stage.known)

  it('there are more than forty cases, each of its own name', () => {
    assert(CASES.length >= 40)
    assert.equal(new Set(CASES.map(([name]) => name)).size, CASES.length)
  })

  it('the operations are what they are meant to be, and archived', async () => {
    const { known, atArchive } = stage
    const { api } = atArchive
    for (const sent of SENT) {
      const status = await api.getOperationStatus(known.operations[sent])
      assert.equal(status, sent.startsWith('failed') ? OperationStatus.Error : OperationStatus.Success, sent)
    }
    const { start, end, counter } = known
    assert.equal((await api.getEvents({ start, end, smartContractAddress: counter })).length, 2)
    assert(known.blocks.length > 32 && known.endorsements.length >= 128)
  })

  for (const [name, ask] of CASES) {
    it(name, async () => {
      const [ofNode, ofArchive] = await Promise.all([outcome(ask, stage.atNode), outcome(ask, stage.atArchive)])
      assert.deepEqual(ofArchive, ofNode)
      assert.equal('error' in ofNode, name.startsWith('error'))
    })
  }

  it('error: what is no history is refused, with a sentence', async () => {
    const { known, atArchive } = stage
    await assert.rejects(atArchive.api.getAddressInfo(ALICE.address), /Method not found: this is an archive/)
    await assert.rejects(atArchive.api.getSlotTransfers(known.made), /this is an archive of final history/)
  })

  it('what the node has forgotten is answered as before', async () => {
    const { face, known, atNode, atArchive } = stage
    const before = await Promise.all(OF_OPERATIONS.map(([, ask]) => outcome(ask, atArchive)))
    face.pass(20)
    assert.deepEqual(await atNode.api.getOperations(listSent(known)), [])
    assert.deepEqual(await Promise.all(OF_OPERATIONS.map(([, ask]) => outcome(ask, atArchive))), before)
  })
})
