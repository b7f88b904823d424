import { element } from '../dom.ts'
import { busyMark, markOf } from '../mark.ts'
import { fields, formatBytes, formatCount, formatTime, linkTo, nameNetwork, table } from '../parts.ts'
import { THREADS } from '../routes.ts'
import { verify } from '../verifier.ts'
import type { Overview } from '../worker-messages.ts'
import type { Page } from './page.ts'

const REFRESH_MS = 16_000

/** What is archived; what an archive says of itself is not proven, its periods are. */
export function frontPage(): Page {
  const place = element('div', {}, busyMark())
  const run = async (isShown: () => boolean): Promise<void> => {
    const outcome = await verify({ kind: 'overview' })
    if (!isShown()) return
    // Whoever is about to follow a link there keeps it.
    if (!place.contains(document.activeElement)) {
      place.replaceChildren(
        ...(outcome.kind === 'overview' ? showOverview(outcome.overview) : [markOf(outcome, () => run(isShown))]),
      )
    }
    setTimeout(() => isShown() && run(isShown), REFRESH_MS)
  }
  const heading = element('h1', { tabindex: '-1' }, 'Massa’s history, verified where you read it')
  return { title: 'Massa archive', content: element('div', {}, heading, place), run }
}

function showOverview({ first, last, latest, chainId, genesisTimestampMs }: Overview): Node[] {
  return [
    fields([
      ['Network', nameNetwork(chainId)],
      ['Archived', element('span', {}, 'periods ', period(first), ' to ', period(last))],
      ['That is', `${formatTime(genesisTimestampMs, first)} to ${formatTime(genesisTimestampMs, last)}`],
      ['In the latest', sumUp(latest)],
    ]),
    table(
      'Latest periods',
      ['Period', 'Begins', 'Blocks', 'Operations', 'Size'],
      latest.map((one) => [
        period(one.period),
        formatTime(genesisTimestampMs, one.period),
        `${one.blocks} of ${THREADS}`,
        String(one.operations),
        formatBytes(one.bytes),
      ]),
      true,
    ),
    element(
      'p',
      { class: 'said' },
      element('strong', {}, 'Not proven, said by this archive: '),
      'this page alone. Every period, slot, block, operation and endorsement that you open is verified by your browser before it is shown.',
    ),
  ]
}

/** How much stands in the periods of the table. */
function sumUp(latest: Overview['latest']): string {
  let [blocks, operations] = [0, 0]
  for (const one of latest) {
    blocks += one.blocks
    operations += one.operations
  }
  const found = `${formatCount(blocks, 'block')} in ${latest.length * THREADS} slots`
  return `${formatCount(latest.length, 'period')}: ${found}, ${formatCount(operations, 'operation')}`
}

function period(number: number): HTMLElement {
  return linkTo({ kind: 'period', period: number }, String(number))
}
