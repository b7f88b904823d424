import assert from 'node:assert/strict'
import type { GetRequest } from '../../cli/commands/get.ts'
import { isArchiveError } from '../../core/index.ts'
import { attest } from '../core/reading/made-attestation.ts'
import { call } from '../core/reading/made-history.ts'
import { GatewayPlace } from './gateway-place.ts'

const SLOT = { period: 3, thread: 1 }
const SEEDS = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array, Uint8Array]

describe('cli/get: what became of an operation', () => {
  const place = new GatewayPlace({ 3: { 1: [call(1, 5)] } }, 4)
  const id = place.periods[3]?.blocks[0]?.operationIds[0] ?? ''
  const request: GetRequest = {
    path: `/v1/operations/${id}`,
    name: `operation ${id}`,
    question: () => ({ kind: 'operation', id }),
  }
  before(() => place.open())
  after(() => place.close())

  /** An archive with these attestations. */
  const listen = (attestations: readonly unknown[]) =>
    place.listen({
      operation: async (asked, hasProof) => ({ ...(await place.answers.operation(asked, hasProof)), attestations }),
    })
  const signed = (seed: Uint8Array, outcome: 'success' | 'failed') => attest(seed, SLOT, [{ operationId: id, outcome }])

  it('is shown with who signed it', async () => {
    const attestation = signed(SEEDS[0], 'failed')
    const from = await listen([attestation])
    const { code, answer } = await place.get(request, { from })
    const { outcomes } = answer.verified as { outcomes: unknown }
    assert.deepEqual([code, answer.outcome], [0, 'failed: said by 1 archiver (signed, not proven)'])
    assert.deepEqual(outcomes, [{ outcome: 'failed', slot: SLOT, signer: attestation.publicKey }])
    const { printed } = await place.get(request, { from }, false)
    assert.match(printed.stdout, new RegExp(`attested +failed +at slot \\(3, 1\\), by ${attestation.publicKey}`))
  })

  it('is what the archive says where nobody signed it', async () => {
    const { answer } = await place.get(request, { from: await listen([]) })
    assert.equal(answer.outcome, 'unknown (as this archive says, signed by nobody)')
  })

  it('is asked of further archives, each archiver counted once, and those that disagree shown', async () => {
    const [from, ...also] = await Promise.all([
      listen([signed(SEEDS[0], 'success')]),
      listen([signed(SEEDS[0], 'success')]),
      listen([signed(SEEDS[1], 'success')]),
      listen([signed(SEEDS[2], 'failed')]),
    ])
    const { answer } = await place.get(request, { from: from ?? '', also })
    const outcome = 'success: said by 2 archivers; failed: said by 1 archiver (signed, not proven)'
    assert.equal(answer.outcome, outcome)
  })

  it('is counted without those that show what nobody signed, or do not answer', async () => {
    const from = await listen([signed(SEEDS[0], 'success')])
    const forged = { ...signed(SEEDS[1], 'failed'), publicKey: signed(SEEDS[2], 'failed').publicKey }
    const also = [await listen([forged]), 'http://127.0.0.1:1']
    const { code, answer } = await place.get(request, { from, also })
    assert.deepEqual([code, answer.outcome], [0, 'success: said by 1 archiver (signed, not proven)'])
    const { printed } = await place.get(request, { from, also }, false)
    assert.equal(printed.stderr.match(/says nothing of the outcome/g)?.length, 2)
  })

  it('error: an archive that shows what nobody signed is refused', async () => {
    const from = await listen([{ ...signed(SEEDS[0], 'success'), period: 4 }])
    const isRefused = (error: unknown) => isArchiveError(error, 'CORE_READING_SIGNATURE_INVALID')
    await assert.rejects(place.get(request, { from }), isRefused)
  })
})
