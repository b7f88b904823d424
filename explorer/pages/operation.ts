import type { OperationDescription } from '../../core/verify.ts'
import { claimed, dueField, networkField } from '../claims.ts'
import { element } from '../dom.ts'
import { fields, formatAmount, formatBytes, hash, linkToId, linkToSlot, nameKind } from '../parts.ts'
import type { Route } from '../routes.ts'
import { type Page, recordPage } from './page.ts'

/** Of longer bytes the rest is left out: a contract may have megabytes. */
const MAX_SHOWN_DIGITS = 4096
const OUTCOMES = { success: 'it succeeded', failed: 'it failed', unknown: 'not known' } as const

export function operationPage({ id }: Route<'operation'>): Page {
  return recordPage({
    kind: 'Operation',
    name: id,
    task: { kind: 'record', question: { kind: 'operation', id } },
    show: ({ record, proof, said }) => {
      if (record.kind !== 'operation') return []
      const { operation, slot, blockId, position } = record
      return [
        fields([
          ['Kind', nameKind(operation.body.kind)],
          ...bodyFields(operation.body),
          ['Creator', linkToId('address', operation.creator)],
          ['Fee', formatAmount(operation.feeNanoMas)],
          ['Expires after', `period ${operation.expirePeriod}`],
          ['In block', claimed(proof, 'block', linkToId('block', blockId))],
          ['At slot', claimed(proof, 'slot', linkToSlot(slot), `, place ${position}`)],
          dueField('Due', proof, slot.period, slot.thread),
          networkField(proof),
          ['Public key', hash(operation.publicKey)],
          ['Signature', operation.signature === undefined ? undefined : hash(operation.signature)],
        ]),
        said.outcome === undefined
          ? undefined
          : element(
              'p',
              { class: 'said' },
              element('strong', {}, 'Not proven, said by this archive: '),
              `what became of it: ${OUTCOMES[said.outcome]}. No root binds what executing an operation did.`,
            ),
      ]
    },
  })
}

function bodyFields(body: OperationDescription['body']): (readonly [string, Node | string | undefined])[] {
  const address = (value: unknown) => linkToId('address', String(value))
  switch (body.kind) {
    case 'transaction':
      return [
        ['Recipient', address(body.recipient)],
        ['Amount', formatAmount(body.amountNanoMas)],
      ]
    case 'roll-buy':
    case 'roll-sell':
      return [['Rolls', String(body.rollCount)]]
    case 'call-sc':
      return [
        ['Contract', address(body.target)],
        ['Function', element('code', {}, String(body.functionName))],
        ['Parameter', bytes(body.parameter)],
        ['Coins', formatAmount(body.coinsNanoMas)],
        ['Gas at most', String(body.maxGas)],
      ]
    case 'execute-sc':
      return [
        ['Bytecode', bytes(body.bytecode)],
        ['Datastore', Array.isArray(body.datastore) ? `${body.datastore.length} entries` : undefined],
        ['Coins at most', formatAmount(body.maxCoinsNanoMas)],
        ['Gas at most', String(body.maxGas)],
      ]
    default:
      return []
  }
}

/** @param hex - of bytes that an operation carries */
function bytes(hex: unknown): HTMLElement {
  const digits = String(hex)
  const length = formatBytes(digits.length / 2)
  if (digits === '') return element('span', {}, 'none')
  const rest = digits.length > MAX_SHOWN_DIGITS ? `… the first ${MAX_SHOWN_DIGITS / 2} bytes` : ''
  return element(
    'details',
    {},
    element('summary', {}, length),
    element('pre', { tabindex: '0' }, `${digits.slice(0, MAX_SHOWN_DIGITS)}${rest}`),
  )
}
