import { ERA_PERIODS } from '../core/units.ts'
import type { CheckName, Period, ProofCheck, ProofGap } from '../core/verify.ts'
import { sumUpClaims } from './claims.ts'
import { element } from './dom.ts'
import { formatBytes, formatCount, hash, linkTo } from './parts.ts'
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
  signatures: 'This archive gave no signatures: who made this is what it says.',
  'endorsement-signature': 'The endorsement’s own signature does not verify, which the header of a block may carry.',
  'reproducible-content': 'The node lost the original of an operation here: its id does not bind what is shown of it.',
}

/** Who signs what was asked for. */
const SIGNERS: Readonly<Record<string, string>> = {
  block: 'producer',
  operation: 'creator',
  endorsement: 'endorser',
}

export type Color = 'good' | 'open' | 'bad' | 'busy'
const SIGNS: Readonly<Record<Color, string>> = { good: '✓', open: '!', bad: '✗', busy: '…' }

/** While it is asked and verified. */
export function busyMark(): HTMLElement {
  return mark('busy', 'Your browser is verifying')
}

/** Says the titles of marks to who cannot see that they came. */
export function announce(place: HTMLElement): void {
  const announcer = document.getElementById('announcer')
  const titles = [...place.querySelectorAll('.mark .title')].map(({ textContent }) => textContent)
  if (announcer) announcer.textContent = titles.join('. ')
}

/** @param again - shows the page anew, with the roots that are trusted then */
export function markOf(outcome: Outcome, again: () => void): HTMLElement {
  switch (outcome.kind) {
    case 'proven':
      return provenMark(outcome.proof, again)
    case 'chunk':
      return mark(
        'good',
        'Its bytes hash to its id',
        element('p', {}, 'Verified by your browser. Whether the chain has such a chunk no id says.'),
      )
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

export function mark(color: Color, title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return element(
    'section',
    { class: `mark ${color}` },
    element(
      'h2',
      {},
      element('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[color]),
      element('span', { class: 'title' }, title),
    ),
    ...content,
  )
}

function provenMark(proof: ShownProof, again: () => void): HTMLElement {
  const { standing, asked } = proof
  const lacks = listLacks(proof)
  const checked = listChecked(proof)
  const rest = [...listLoose(proof), ...confirmation(proof, again)]
  if (standing === 'root') return mark('good', 'Verified by your browser', anchorOf(proof), ...lacks, checked, ...rest)
  if (standing !== 'id') {
    const title = standing === 'unsigned' ? 'Not shown to be signed' : 'Fits a root that you have not confirmed'
    return mark('open', title, ...lacks, anchorOf(proof), checked, ...rest)
  }
  return element(
    'div',
    { class: 'marks' },
    mark('good', `It is what its id names, and its ${SIGNERS[asked]} signed it`, ...lacks, checked),
    mark('open', 'The rest is what this archive says', anchorOf(proof), ...rest),
  )
}

/** What lacks stands in the open; that no root of an era was compared is no lack of what is shown. */
function listLacks({ gaps }: ShownProof): HTMLElement[] {
  return gaps.flatMap((gap) => (gap === 'trusted-root' || isOfEra(gap) ? [] : [element('p', {}, GAPS[gap])]))
}

function listChecked({ standing, checks, gaps, verifyMs, proofBytes }: ShownProof): HTMLElement {
  const cost = `in ${Math.max(1, Math.round(verifyMs))} ms, proof of ${formatBytes(proofBytes)}`
  if (checks.length === 0) return element('p', {}, `Computed by your browser ${cost}.`)
  const folded = fold(`${formatCount(checks.length, 'check')} by your browser ${cost}`, [
    ...checks.map(listCheck),
    ...(standing === 'root' ? listEraGap(gaps) : []),
  ])
  folded.open = isWide()
  return folded
}

/** What is no more than consistent. */
function listLoose({ standing, loose, gaps }: ShownProof): HTMLElement[] {
  const items = [...loose.map(listCheck), ...(standing === 'root' ? [] : listEraGap(gaps))]
  // Of these no tick says that they were checked.
  for (const item of items) item.className = 'gap'
  if (items.length === 0) return []
  const folded = fold('What fits together, compared with nothing of yours', items)
  folded.open = isWide() && standing !== 'id'
  return [folded]
}

function listEraGap(gaps: readonly ProofGap[]): HTMLElement[] {
  return gaps.filter(isOfEra).map((gap) => element('li', { class: 'gap' }, GAPS[gap]))
}

function isOfEra(gap: ProofGap): gap is 'era-root' | 'trusted-era-root' {
  return gap === 'era-root' || gap === 'trusted-era-root'
}

function listCheck({ name, value }: ProofCheck): HTMLElement {
  return element('li', {}, element('strong', {}, CHECKS[name]), ' ', hash(value))
}

function fold(summary: string, items: readonly HTMLElement[]): HTMLDetailsElement {
  return element('details', {}, element('summary', {}, summary), element('ul', { class: 'checks' }, ...items))
}

function isWide(): boolean {
  return matchMedia('(min-width: 64rem)').matches
}

function anchorOf(proof: ShownProof): HTMLElement {
  const { trust, period, era } = proof
  const what =
    trust === 'era-root'
      ? `Anchor: the root of era ${era?.era}, which you confirmed.`
      : trust === 'period-root'
        ? `Anchor: the root of period ${period}, which you confirmed.`
        : `${sumUpClaims(proof)}${describeOthers(period)}`
  return element('p', { class: 'anchor' }, what)
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
