import { ERA_PERIODS } from '../core/units.ts'
import type { CheckName, Period, ProofGap } from '../core/verify.ts'
import { element } from './dom.ts'
import { formatBytes, formatCount, hash, linkTo, nameNetwork } from './parts.ts'
import { readTrustedRoots, trustRoot } from './trusted-roots.ts'
import type { Outcome, ShownProof } from './worker-messages.ts'

/* The mark over a record: what the browser found out about it. */

const CHECKS: Readonly<Record<CheckName, string>> = {
  network: 'Network',
  'period-root': 'Period root',
  'era-root': 'Era root',
  'trusted-root': 'A root that you confirmed',
  chunk: 'Chunk',
  bitmap: 'Slots of the period',
  'block-id': 'Block id',
  'operation-list': 'Operation list',
  position: 'Place in the period',
  'operation-id': 'Operation id',
  validity: 'Valid here',
  'operation-ids': 'Operation ids',
  'endorsement-id': 'Endorsement id',
  'endorsement-signature': 'Signature of the endorser',
  'header-signature': 'Signature of the producer',
  'operation-signatures': 'Signatures of operations',
}

const GAPS: Readonly<Record<Exclude<ProofGap, 'trusted-root'>, string>> = {
  'era-root': 'The era is not whole in this archive yet: the proof ends at the root of the period.',
  'trusted-era-root': 'The root of the era to which the proof leads was compared with nothing.',
  signatures: 'This archive gave no signatures.',
  'endorsement-signature': 'The endorsement’s own signature does not verify, which the header of a block may carry.',
  'reproducible-content': 'The node lost the original of an operation here: its id does not bind what is shown of it.',
}

type Standing = 'good' | 'open' | 'bad' | 'busy'
const SIGNS: Readonly<Record<Standing, string>> = { good: '✓', open: '!', bad: '✗', busy: '…' }

/** While it is asked and verified. */
export function busyMark(): HTMLElement {
  return mark('busy', 'Your browser is verifying')
}

/** Says the title of a mark to who cannot see that it came. */
export function announce(place: HTMLElement): void {
  const announcer = document.getElementById('announcer')
  if (announcer) announcer.textContent = place.querySelector('.mark .title')?.textContent ?? ''
}

/** @param again - shows the page anew, with the roots that are trusted then */
export function markOf(outcome: Outcome, again: () => void): HTMLElement {
  switch (outcome.kind) {
    case 'proven':
      return provenMark(outcome.proof, again)
    case 'chunk':
      return mark('good', 'Verified by your browser', element('p', {}, 'Its bytes hash to its id.'))
    case 'refused':
      return mark(
        'bad',
        'Refused: what this archive answers is not true, or not proven',
        element('p', {}, `${outcome.message}.`),
        element('p', {}, 'Nothing of the answer is shown. ', element('code', {}, outcome.code)),
      )
    case 'absent':
      return mark(
        'open',
        'Not in this archive',
        element('p', {}, `${outcome.message}. That proves nothing: another archive may have it.`),
        element('p', {}, element('code', {}, outcome.code)),
      )
    case 'failed':
      return mark(
        'open',
        'This archive gives no answer',
        element('p', {}, outcome.message),
        element('p', {}, element('code', {}, outcome.code)),
      )
    default:
      return mark('open', 'This archive gives no answer')
  }
}

export function mark(standing: Standing, title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return element(
    'section',
    { class: `mark ${standing}` },
    element(
      'h2',
      {},
      element('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[standing]),
      element('span', { class: 'title' }, title),
    ),
    ...content,
  )
}

function provenMark(proof: ShownProof, again: () => void): HTMLElement {
  const { standing, checks, gaps, chainId, verifyMs, proofBytes } = proof
  const title = standing === 'unconfirmed' ? 'Fits a root that you have not confirmed' : 'Verified by your browser'
  const summary = `${formatCount(checks.length, 'check')} in ${Math.max(1, Math.round(verifyMs))} ms, proof of ${formatBytes(proofBytes)}`
  const list = element(
    'ul',
    { class: 'checks' },
    ...checks.map(({ name, value }) => element('li', {}, element('strong', {}, CHECKS[name]), ' ', hash(value))),
    ...(checks.some(({ name }) => name === 'network')
      ? []
      : [
          element(
            'li',
            { class: 'gap' },
            element('strong', {}, 'Network'),
            ` ${nameNetwork(chainId)}, as this archive says`,
          ),
        ]),
    ...gaps.flatMap((gap) => (gap === 'trusted-root' ? [] : [element('li', { class: 'gap' }, GAPS[gap])])),
  )
  const checked = element('details', {}, element('summary', {}, summary), list)
  checked.open = matchMedia('(min-width: 64rem)').matches
  return mark(
    standing === 'unconfirmed' ? 'open' : 'good',
    title,
    anchorOf(proof),
    checked,
    ...confirmation(proof, again),
  )
}

function anchorOf({ trust, standing, period, era }: ShownProof): HTMLElement {
  const what =
    trust === 'era-root'
      ? `Anchor: the root of era ${era?.era}, which you confirmed.`
      : trust === 'period-root'
        ? `Anchor: the root of period ${period}, which you confirmed.`
        : standing === 'id'
          ? 'Anchor: none. It is what its id names; where it stands, and that it is part of the real chain, is what this archive says.'
          : 'Anchor: none. Everything fits together; that it is the real chain is what this archive says.'
  return element('p', { class: 'anchor' }, trust === 'none' ? `${what}${describeOthers(period)}` : what)
}

/** Who trusts roots is told of which era they would have to be. */
function describeOthers(period: Period): string {
  const { periods, eras } = readTrustedRoots()
  if (Object.keys({ ...periods, ...eras }).length === 0) return ''
  return ` No root that you trust is of era ${Math.floor(period / ERA_PERIODS)} or of period ${period}.`
}

/** Whoever compared the root elsewhere says so here. */
function confirmation({ trust, period, periodRoot, era }: ShownProof, again: () => void): HTMLElement[] {
  if (trust !== 'none') return []
  const [kind, number, root] = era ? (['era', era.era, era.root] as const) : (['period', period, periodRoot] as const)
  const button = element('button', { type: 'button' }, 'I compared it: trust it')
  button.addEventListener('click', () => {
    trustRoot(kind, number, root)
    again()
  })
  return [
    element(
      'details',
      { class: 'confirm' },
      element('summary', {}, `Confirm the root of ${kind} ${number}`),
      element('p', {}, hash(root)),
      element(
        'p',
        {},
        'Compare it with a source that you trust: an archive of your own (',
        element(
          'code',
          {},
          kind === 'era' ? `massa-storage eras show ${number}` : `massa-storage get period ${number}`,
        ),
        ') or the contract that anchors eras.',
      ),
      element('p', { class: 'links' }, button, linkTo({ kind: 'trust' }, 'All roots that you trust')),
    ),
  ]
}
