import { fixed2, table } from '../../sim/scale/page-table.ts'
import type { Match, Row } from '../play-all.ts'
import { readSetting } from '../settings.ts'
import { REGISTRY_SETTINGS } from './play.ts'
import type { DevnetResult, DevnetRow } from './result.ts'

const NANO_MAS_PER_MAS = 1e9

/** From this share of full pay on it counts as paid. */
const PAID = 0.5
const CHALLENGER_PERIODS = 8

/** The section of docs/THREATS.md that tells what adversaries earned on a devnet. @param matches - on the model */
export function renderDevnet(result: DevnetResult, matches: readonly Match[]): string[] {
  const rows = matches.flatMap((match) => (match.setting === 'shipped' ? match.rows : []))
  const settings = Object.entries(REGISTRY_SETTINGS).map(([name, value]) => `\`${name} = ${value}\``)
  const rewardNanoMas = readSetting('shipped').rewardPerGbPerPeriod
  return [
    'The same adversaries as processes: each is `massa-storage start` with one part of it replaced (`test/adversary/sidecars`), in a devnet beside',
    `honest nodes and one that challenges every ${CHALLENGER_PERIODS} periods, and is not challenged. \`npm run adversaries:devnet -- --save\` plays them anew,`,
    `and puts what it measured here. The registry has the shipped defaults, but for ${settings.join(' and ')}, since`,
    `the run is short; each node offers 1 GB, and 1 GB earns ${mas(`${rewardNanoMas}`)} MAS a period.`,
    ...result.networks.flatMap((network) => ['', ...renderNetwork(network, rows)]),
    '',
    '- *Vested* is what it may claim, *spent* what fees and records took, in MAS. The coins in records of challenges come back to who issued them a day later,',
    '  for 0.01 MAS for each twenty: then an audit of eight has cost 0.014 MAS who issued it, and 0.01 who answered.',
    '- *Of full pay* is what vested, less the stake that was lost, as a share of what 1 GB earns in all those periods; *of an honest node* the same as a share of',
    '  what vested for honest nodes of that network that no adversary was after; *on the model* is the share of the net result in the first table above, of',
    '  20 eras in which audits are rare, and each costs next to nothing of what 10 GB earn.',
    '- Nothing vests before an audit is passed, and draws decide who is audited when: of whom none was judged, or one long before the end, that much',
    '  less is here. Over so few audits shares say who is paid and who is not, and no more.',
    '- What answers late, forges signatures or has garbage for others is refused by the trial run that comes before anything is sent: here it',
    '  costs no fee, on the model 0.01 MAS each time.',
    '- *Seen* counts the times that it did what it is named for, by its own log.',
    '- What registers much offers 100 GB here. Where nothing of it was judged it told other nodes of 1 GB, as it was configured: whoever tells of less than it',
    '  registered is not drawn, so nothing vests. It has only to tell of as much.',
    '- Many identities are three nodes here, and twelve on the model; two of them read every chunk from the disk of the third. What shrinks offers 1 GB at the',
    '  start of each era and 10 behind it.',
    '- Nonsense is chunks that there are not, with and without made up evidence, and chunks of the duty of another node; what it asks for by libp2p',
    '  is of the future. What floods challenges one node as often as the registry takes it, and asks it to rehearse as fast as it answers. What colludes asks itself',
    '  for the one chunk that it keeps, sooner than the honest challenger would, and another node whenever that has just gone: once in an era that one is killed, and',
    '  started again.',
    '- Audits off chain go by the clock on the wall, one of a node in two minutes: next to none in so short a run.',
    '',
    ...renderPaid(result, rewardNanoMas),
    '',
    'What it cost the honest nodes that an adversary was after:',
    '',
    ...result.networks.flatMap((network) => renderCost(network, rewardNanoMas)),
  ]
}

/** What came of it, of what 1 GB earns. */
function computeShare(row: DevnetRow, periods: number, rewardNanoMas: bigint): number {
  return (Number(row.vestedNanoMas) - Number(row.stakeLostNanoMas)) / (periods * Number(rewardNanoMas))
}

/** Of each adversary the last run. */
function renderPaid({ networks }: DevnetResult, rewardNanoMas: bigint): string[] {
  const shares = new Map<string, number>()
  for (const { periods, rows } of networks) {
    for (const row of rows) {
      if (row.name !== null) shares.set(row.name, computeShare(row, periods, rewardNanoMas) / row.nodes)
    }
  }
  const paid = [...shares].filter(([, share]) => share >= PAID).sort(([, a], [, b]) => b - a)
  const names = paid.map(([name, share]) => `${name} (${fixed2(share)})`)
  return [
    `Paid half of full pay or more, for each node of theirs: ${names.join(', ')}. What floods, issues nonsense, has garbage for others or front-runs`,
    'has an honest node beside it that earns this; by what it is named for it gains nothing, and spends what the table says.',
  ]
}

function renderCost({ periods, rows }: DevnetResult['networks'][number], rewardNanoMas: bigint): string[] {
  const untroubled = rows.find(({ name, victim }) => name === null && victim === null)
  const describe = (row: DevnetRow) =>
    `${mas(row.spentNanoMas)} MAS spent, ${fixed2(computeShare(row, periods, rewardNanoMas))} of full pay`
  return rows.flatMap((row) => {
    if (row.victim === null) return []
    const other = untroubled ? `; of one that nobody was after: ${describe(untroubled)}` : ''
    return [`- ${nameOf(row)}: ${describe(row)}, ${row.passed} of ${row.judged} challenges passed${other}.`]
  })
}

function renderNetwork(
  { eras, periods, seconds, rows }: DevnetResult['networks'][number],
  modelRows: readonly Row[],
): string[] {
  const rewardNanoMas = readSetting('shipped').rewardPerGbPerPeriod
  const shareOf = (row: DevnetRow) => computeShare(row, periods, rewardNanoMas)
  const untroubled = rows.filter(({ name, victim }) => name === null && victim === null)
  const share = untroubled.reduce((sum, row) => sum + shareOf(row), 0) / untroubled.length
  const heads = ['node', 'challenges passed', 'vested', 'stake lost', 'strike points', 'spent', 'of full pay']
  return [
    `${periods} periods from the first registration on, ${eras} ${eras === 1 ? 'era' : 'eras'} of them with audits; ${Math.round(seconds / 60)} minutes.`,
    '',
    ...table(
      [...heads, 'of an honest node', 'on the model', 'seen'],
      rows.map((row) => [
        nameOf(row),
        `${row.passed} of ${row.judged}${row.isLeaving ? ', left' : ''}`,
        mas(row.vestedNanoMas),
        mas(row.stakeLostNanoMas),
        `${row.strikePoints}`,
        mas(row.spentNanoMas),
        fixed2(shareOf(row)),
        untroubled.length === 0 ? '-' : fixed2(shareOf(row) / share),
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

function findShare({ name, victim }: DevnetRow, modelRows: readonly Row[]): string {
  const found = modelRows.find(({ adversary }) => adversary.name === name)
  if (found) return fixed2(found.share).replace('-0.00', '0.00')
  return victim === null ? '1' : '-'
}

function mas(nanoMas: string): string {
  return (Number(nanoMas) / NANO_MAS_PER_MAS).toFixed(3)
}
