import { fixed2, table } from '../../sim/scale/page-table.ts'
import type { Match, Row } from '../play-all.ts'
import { HONEST_SIDECARS } from './cast.ts'
import { REGISTRY_SETTINGS } from './play.ts'
import type { DevnetResult, DevnetRow } from './result.ts'

const NANO_MAS_PER_MAS = 1e9

/** The section of docs/THREATS.md that tells what adversaries earned on a devnet. @param matches - on the model */
export function renderDevnet(result: DevnetResult, matches: readonly Match[]): string[] {
  const rows = matches.flatMap((match) => (match.setting === 'shipped' ? match.rows : []))
  const settings = Object.entries(REGISTRY_SETTINGS).map(([name, value]) => `\`${name} = ${value}\``)
  return [
    'The same adversaries as processes: each is `massa-storage start` with one part of it replaced (`test/adversary/sidecars`), in a devnet beside',
    `${HONEST_SIDECARS} honest nodes and one that challenges every 8 periods, and is not challenged. \`npm run adversaries:devnet -- --save\` plays them anew,`,
    `and puts what it measured here. The registry has the shipped defaults, but for ${settings.join(' and ')}, since`,
    'the run is short; each node offers 1 GB, and 1 GB earns 0.001 MAS a period.',
    ...result.networks.flatMap((network) => ['', ...renderNetwork(network, rows)]),
    '',
    '- *Vested* is what it may claim, *spent* what fees and records took, in MAS. *Of an honest node* is what vested, less the stake that was lost, as a',
    '  share of what vested for honest nodes of the same network; *on the model* is the share of the net result in the first table above, of 20 eras',
    '  in which audits are rare, and each costs next to nothing of what 10 GB earn.',
    '- Nothing vests before an audit is passed, and draws decide who is audited when: of whom none was judged, or one long before the end, that much',
    '  less is here. Over so few audits shares say who is paid and who is not, and no more.',
    '- What answers late, forges signatures or has garbage for others is refused by the trial run that comes before anything is sent: here it',
    '  costs no fee, on the model 0.01 MAS each time.',
    '- *Seen* counts the times that it did what it is named for, by its own log.',
    '- Audits off chain go by the clock on the wall, one of a node in two minutes: next to none in so short a run.',
  ]
}

function renderNetwork(
  { eras, periods, seconds, rows }: DevnetResult['networks'][number],
  modelRows: readonly Row[],
): string[] {
  const honest = rows.filter(({ name }) => name === null)
  const share = honest.reduce((sum, { vestedNanoMas }) => sum + Number(vestedNanoMas), 0) / honest.length
  const heads = ['node', 'challenges passed', 'vested', 'stake lost', 'strike points', 'spent', 'of an honest node']
  return [
    `${periods} periods from the first registration on, ${eras} ${eras === 1 ? 'era' : 'eras'} of them with audits; ${Math.round(seconds / 60)} minutes.`,
    '',
    ...table(
      [...heads, 'on the model', 'seen'],
      rows.map((row) => [
        nameOf(row),
        `${row.passed} of ${row.judged}${row.isLeaving ? ', left' : ''}`,
        mas(row.vestedNanoMas),
        mas(row.stakeLostNanoMas),
        `${row.strikePoints}`,
        mas(row.spentNanoMas),
        share === 0 ? '-' : fixed2((Number(row.vestedNanoMas) - Number(row.stakeLostNanoMas)) / share),
        findShare(row, modelRows),
        `${row.deeds}`,
      ]),
    ),
  ]
}

function nameOf({ name, nodes, victim }: DevnetRow): string {
  if (name !== null) return nodes === 1 ? name : `${name} (${nodes} nodes)`
  return victim === null ? '*an honest node*' : `*an honest node, ${victim}*`
}

function findShare({ name }: DevnetRow, modelRows: readonly Row[]): string {
  const found = modelRows.find(({ adversary }) => adversary.name === name)
  return found ? fixed2(found.share).replace('-0.00', '0.00') : '1'
}

function mas(nanoMas: string): string {
  return (Number(nanoMas) / NANO_MAS_PER_MAS).toFixed(3)
}
