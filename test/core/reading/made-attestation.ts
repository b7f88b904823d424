import assert from 'node:assert/strict'
import { parseAttestedExecutions } from '../../../archiver/attestation.ts'
import { attestExecutions, encodeExecution, type SlotExecution } from '../../../archiver/index.ts'
import { type AttestationJson, attestationToJson, type Slot } from '../../../core/index.ts'
import { NETWORK } from './made-history.ts'

/** What an archiver signs of a period in which one slot has these outcomes, and another an event alone. */
export function attest(seed: Uint8Array, slot: Slot, outcomes: SlotExecution['outcomes']): AttestationJson {
  const event = { indexInSlot: 0, callStack: ['AS1'], operationId: '', failed: false, data: new Uint8Array(9) }
  const encode = (told: SlotExecution['outcomes']) =>
    encodeExecution({ source: 'stream', complete: true, trailHash: 'T', outcomes: told, events: [event] })
  const place = { network: NETWORK, period: slot.period }
  const executions = new Map([
    [(slot.thread + 5) % 32, encode([])],
    [slot.thread, encode(outcomes)],
  ])
  const { attestation, results } = parseAttestedExecutions(attestExecutions(executions, place, seed), place)
  return attestationToJson(slot.period, results, attestation ?? assert.fail('not signed'))
}
