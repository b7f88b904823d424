import { element } from '../dom.ts'
import { fields, formatTime, hash, linkToId, linkToSlot } from '../parts.ts'
import type { Route } from '../routes.ts'
import { type Page, recordPage } from './page.ts'

export function endorsementPage({ id }: Route<'endorsement'>): Page {
  return recordPage({
    kind: 'Endorsement',
    name: id,
    task: { kind: 'record', question: { kind: 'endorsement', id } },
    show: ({ record, proof }) => {
      if (record.kind !== 'endorsement') return []
      const { endorsement, slot, blockId } = record
      return [
        fields([
          ['Endorser', linkToId('address', endorsement.endorser)],
          ['Endorses', linkToId('block', endorsement.endorsedBlock)],
          ['Index', String(endorsement.index)],
          ['Carried by', linkToId('block', blockId)],
          ['At slot', element('span', {}, linkToSlot(slot))],
          ['Due', formatTime(proof.genesisTimestampMs, slot.period, slot.thread)],
          ['Public key', hash(endorsement.publicKey)],
          ['Signature', hash(endorsement.signature)],
        ]),
      ]
    },
  })
}
