import { claimed, dueField, networkField } from '../claims.ts'
import { fields, hash, linkToId, linkToSlot } from '../parts.ts'
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
          ['Carried by', claimed(proof, 'block', linkToId('block', blockId))],
          ['At slot', linkToSlot(slot)],
          dueField('Due', proof, slot.period, slot.thread),
          networkField(proof),
          ['Public key', hash(endorsement.publicKey)],
          ['Signature', hash(endorsement.signature)],
        ]),
      ]
    },
  })
}
