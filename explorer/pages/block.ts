import type { Period, Slot } from '../../core/verify.ts'
import { dueField, networkField } from '../claims.ts'
import { element } from '../dom.ts'
import {
  fields,
  formatAmount,
  formatCount,
  hash,
  linkTo,
  linkToId,
  linkToSlot,
  nameKind,
  nameSlot,
  table,
} from '../parts.ts'
import { type Route, THREADS } from '../routes.ts'
import type { ShownProof, ShownRecord } from '../worker-messages.ts'
import { type Page, recordPage } from './page.ts'

export function blockPage({ id }: Route<'block'>): Page {
  return recordPage({
    kind: 'Block',
    name: id,
    task: { kind: 'record', question: { kind: 'block', id } },
    show: ({ record, proof }) => (record.kind === 'block' ? showBlock(record, proof, true) : []),
  })
}

/** A block, or that there is none. */
export function slotPage({ slot }: Route<'slot'>): Page {
  const { period, thread } = slot
  return recordPage({
    kind: 'Slot',
    name: nameSlot(slot),
    task: { kind: 'slot', slot },
    links: [...stepTo(-1, slot), linkTo({ kind: 'period', period }, `Period ${period}`), ...stepTo(1, slot)],
    show: ({ record, proof }) => {
      if (record.kind === 'block') return showBlock(record, proof, false)
      return [
        element('p', { class: 'lead' }, `No block stands at this slot: thread ${thread} has none in period ${period}.`),
        fields([dueField('Due', proof, period, thread)]),
      ]
    },
  })
}

function stepTo(step: 1 | -1, { period, thread }: Slot): Node[] {
  const index = period * THREADS + thread + step
  if (index < 0 || !Number.isSafeInteger(index)) return []
  const slot = { period: Math.floor(index / THREADS), thread: index % THREADS }
  return [linkTo({ kind: 'slot', slot }, step < 0 ? `← ${nameSlot(slot)}` : `${nameSlot(slot)} →`)]
}

function showBlock(block: Extract<ShownRecord, { kind: 'block' }>, proof: ShownProof, isAskedById: boolean): Node[] {
  const { slot, operations, endorsements, parents } = block
  const { period, thread }: { period: Period; thread: number } = slot
  return [
    fields([
      ['Block', isAskedById ? undefined : linkToId('block', block.id)],
      ['Slot', linkToSlot(slot)],
      dueField('Due', proof, period, thread),
      ['Producer', linkToId('address', block.creator)],
      ['Public key', hash(block.publicKey)],
      networkField(proof),
      [
        'Version',
        `${block.currentVersion}${block.announcedVersion === undefined ? '' : `, announces ${block.announcedVersion}`}`,
      ],
      ['Operations hash', hash(block.operationsHash)],
      ['Denunciations', block.denunciations === 0 ? undefined : String(block.denunciations)],
    ]),
    operations.length === 0
      ? element('p', { class: 'none' }, 'No operations.')
      : table(
          `All ${formatCount(operations.length, 'operation')}`,
          ['Operation', 'Kind', 'Creator', 'Amount'],
          operations.map(({ id, kind, creator, amountNanoMas, isBound }) => [
            linkToId('operation', id),
            isBound ? nameKind(kind) : `${nameKind(kind)} (not bound by its id)`,
            linkToId('address', creator),
            amountNanoMas === undefined ? '' : formatAmount(amountNanoMas),
          ]),
        ),
    endorsements.length === 0
      ? element('p', { class: 'none' }, 'No endorsements.')
      : element(
          'details',
          {},
          element('summary', {}, `${formatCount(endorsements.length, 'endorsement')} of its parent`),
          table(
            'Endorsements',
            ['Endorsement', 'Index', 'Endorser'],
            endorsements.map(({ endorsementId, index, endorser }) => [
              linkToId('endorsement', endorsementId),
              String(index),
              linkToId('address', endorser),
            ]),
          ),
        ),
    ...(parents.length === 0
      ? [element('p', { class: 'none' }, 'A first block: it has no parents.')]
      : [
          element(
            'details',
            {},
            element('summary', {}, `${formatCount(parents.length, 'parent')}, one in each thread`),
            element(
              'ol',
              { class: 'parents', start: '0' },
              ...parents.map((id) => element('li', {}, linkToId('block', id))),
            ),
          ),
        ]),
  ]
}
