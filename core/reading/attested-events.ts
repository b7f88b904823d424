import { toHex } from '../bytes.ts'
import type { ByteReader } from '../codec.ts'
import { formatAddress, ID_BYTES, parseAddress } from '../massa/atoms.ts'
import type { Network, Slot } from '../units.ts'
import { listAttestedSlots, MAX_ATTESTED_BYTES, MAX_TEXT_BYTES, verifyAttestation } from './attested-results.ts'
import { malformed, readArray, tooLarge } from './json-form.ts'

/** As many as a page has events. */
const MAX_ATTESTATIONS = 100

/** What somebody says that a contract wrote. Whether it is so, no signature tells. */
export interface AttestedEvent {
  readonly slot: Slot
  readonly indexInSlot: number
  readonly callStack: readonly string[]
  /** Null for what no operation caused. */
  readonly operationId: string | null
  readonly failed: boolean
  /** Hex. */
  readonly data: string
  /** Public key of the archiver. */
  readonly signer: string
}

/**
 * All events in whose call stack an address is, of the periods that are attested: each attestation has to be signed as it is
 * shown, for this network. Of other periods, which nobody signed, it says nothing.
 *
 * @param value - `attestations` of a page of `/v1/addresses/{address}/events?proof=true`, 4 MiB of results in all at most
 * @returns by slot, the newest first; those of a page and of the same periods on the pages beside it
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_TOO_LARGE, CORE_READING_SIGNATURE_INVALID, CORE_BASE58_INVALID
 */
export function verifyEvents(value: unknown, network: Network, address: string): AttestedEvent[] {
  const text = formatAddress(parseAddress(address))
  const events: AttestedEvent[] = []
  const seen = new Set<string>()
  let bytes = 0
  for (const one of readArray(value, 'attestations', MAX_ATTESTATIONS)) {
    const attested = verifyAttestation(one, network)
    bytes += attested.results.length
    if (bytes > MAX_ATTESTED_BYTES) throw tooLarge(`${bytes} bytes of results`)
    const name = `${attested.period} ${attested.signer}`
    if (seen.has(name)) throw malformed('one archiver attests a period twice')
    seen.add(name)
    for (const { slot, reader } of listAttestedSlots(attested)) {
      for (const event of readEvents(reader)) {
        if (event.callStack.includes(text)) events.push({ slot, ...event, signer: attested.signer })
      }
    }
  }
  return events.sort(
    (a, b) => b.slot.period - a.slot.period || b.slot.thread - a.slot.thread || b.indexInSlot - a.indexInSlot,
  )
}

function* readEvents(reader: ByteReader): Generator<Omit<AttestedEvent, 'slot' | 'signer'>> {
  for (let outcomes = reader.u32(); outcomes > 0; outcomes--) reader.raw(ID_BYTES + 1)
  for (let count = reader.u32(); count > 0; count--) {
    const indexInSlot = reader.u32()
    const failed = reader.u8() === 1
    const operationId = reader.string(MAX_TEXT_BYTES)
    const callStack: string[] = []
    for (let depth = reader.u32(); depth > 0; depth--) callStack.push(reader.string(MAX_TEXT_BYTES))
    const data = toHex(reader.raw(reader.u32()))
    yield { indexInSlot, callStack, operationId: operationId === '' ? null : operationId, failed, data }
  }
  reader.end()
}
