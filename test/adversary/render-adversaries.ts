import { ERA_PERIODS } from '../../core/index.ts'
import { MAX_SUSPICIONS_PER_NODE } from '../../protocol-handler/limits.ts'
import { AUDITS_PER_DAY } from '../../storage-worker/replication/auditor.ts'
import { type Row as Cells, fixed2, table, whole } from '../sim/scale/page-table.ts'
import { DRAWN_CHALLENGES } from './challenger.ts'
import { CHUNKS_PER_PERIOD, HISTORY_ERAS, listHistory } from './history.ts'
import type { Match, Row } from './play-all.ts'
import { readDefault, type SettingName } from './settings.ts'
import { HONEST_NODES, NODE_GB } from './sizes.ts'

const NANO_MAS_PER_MAS = 1e9
const SETTING_NAMES: Readonly<Record<SettingName, string>> = {
  shipped: 'Shipped defaults',
  production: 'Production settings',
}

/** The section of docs/THREATS.md that tells of adversaries of the registry: the same on every machine. */
export function renderAdversaries(matches: readonly Match[], eras: number): string[] {
  return [
    ...renderIntroduction(eras),
    ...matches.flatMap((match) => ['', `### ${SETTING_NAMES[match.setting]}`, '', ...renderMatch(match, eras)]),
    '',
    '### What still pays',
    '',
    ...renderOpen(matches),
    '',
    '### What each does, and what meets it',
    '',
    ...renderBehaviours(matches),
  ]
}

/** MAS for each era. */
export function renderMatch({ baseline, rows }: Match, eras: number): string[] {
  const mas = (nanoMas: bigint) => {
    const value = Number(nanoMas) / NANO_MAS_PER_MAS / eras
    return value.toLocaleString('en', { minimumFractionDigits: 4, maximumFractionDigits: 4 })
  }
  const describe = (name: string, { adversary }: Match['baseline'], shares: Cells): Cells => [
    name,
    mas(adversary.reward),
    mas(adversary.stakeLost),
    mas(adversary.fees),
    mas(adversary.net),
    ...shares,
  ]
  return table(
    ['adversary', 'reward', 'stake lost', 'fees', 'net', 'of an honest node', 'disk', 'hit hardest'],
    [
      describe('*an honest node*', baseline, ['1', '1', '1']),
      ...rows.map((row) =>
        describe(row.adversary.name, row.result, [row.share, row.diskShare, row.worstShare].map(share)),
      ),
    ],
  )
}

function renderIntroduction(eras: number): string[] {
  const gigabytes = listHistory().reduce((sum, { totalBytes }) => sum + Number(totalBytes), 0) / 1e9
  return [
    `Each plays ${eras} eras (${whole(eras * ERA_PERIODS)} periods) beside ${HONEST_NODES} honest nodes, on the model of the contract that the tests hold`,
    'the shipped wasm against; the tests play some of these runs on the wasm, which pays the same to the nanoMAS. Proofs are made and judged by',
    'the code that nodes run. `npm run adversaries` plays longer runs, other draws, and all of them on the wasm.',
    '',
    '- MAS for each era. *Fees* are 0.01 MAS for each operation, and coins that lie in records. What has not vested at the end counts as far',
    '  as an audit of eight chunks is passed then.',
    `- *Of an honest node*: the net result, divided by that of an honest node of ${NODE_GB} GB in the adversary's place. *Disk*: what it keeps at the end,`,
    '  likewise. *Hit hardest*: what is left to the honest node that suffers most of what it would have; with anchors others have more when',
    '  the adversary counts no more.',
    `- There are ${HISTORY_ERAS} eras of a full chain, ${gigabytes.toFixed(1)} GB (${CHUNKS_PER_PERIOD} chunks a period; made ones, of 3,000 bytes in place of 1 MiB), each chunk with three nodes. An honest`,
    `  node offers ${NODE_GB} GB, of which it fills half, and stakes 10 MAS, or 54 at production settings.`,
    `- One honest challenger draws every ${readDefault('challenge_frequency_periods')} periods, of a node that was not audited for an hour, ${DRAWN_CHALLENGES} chunks: with anchors of those`,
    '  that placement gives it, without them of those that it says it has. Off chain each node is asked by all others for',
    `  ${AUDITS_PER_DAY} leaves a day of what placement gives it, by one of ${HONEST_NODES} that may challenge. What it does not show to another twice that one asks for itself`,
    '  three minutes later. A chunk that it does not show to that one twice is asked for on chain, as soon as the registry takes',
    `  it, ${MAX_SUSPICIONS_PER_NODE} chunks of a node in a day. Answers are in a block 32 s after the challenge.`,
    '- Everybody was honest up to then: weights, votes and placements are in force.',
  ]
}

function renderOpen(matches: readonly Match[]): string[] {
  return matches.flatMap(({ setting, rows }) => {
    const [paying, harming] = [rows.filter(isPaying), rows.filter((row) => !isPaying(row) && isHarming(row))]
    return [
      ...(setting === matches[0]?.setting ? [] : ['']),
      `${SETTING_NAMES[setting]}:`,
      '',
      ...paying.map((row) => {
        const { name, expected } = row.adversary
        const harm = isHarming(row) ? `; an honest node is left with ${share(row.worstShare)}` : ''
        return `- **${name}** has ${share(row.share)} of an honest node's net result with ${share(row.diskShare)} of its disk${harm}: ${expected[setting].because}.`
      }),
      ...harming.map((row) => {
        const { name, expected } = row.adversary
        return `- **${name}** gains nothing and leaves an honest node ${share(row.worstShare)} of what it would have: ${expected[setting].because}.`
      }),
    ]
  })
}

function renderBehaviours(matches: readonly Match[]): string[] {
  const meets = (row: Row) => (isOpen(row) ? 'open, see above' : row.adversary.expected[row.setting].because)
  const [first, ...others] = matches
  const cells = (first?.rows ?? []).map((row, i): Cells => {
    const texts = [row, ...others.flatMap(({ rows }) => rows[i] ?? [])].map(
      (one) => [SETTING_NAMES[one.setting], meets(one)] as const,
    )
    const isSame = texts.every(([, text]) => text === meets(row))
    const met = isSame ? meets(row) : texts.map(([setting, text]) => `${setting}: ${text}.`).join(' ')
    return [row.adversary.name, row.adversary.does, met]
  })
  return table(['adversary', 'what it does', 'what it meets'], cells, '---')
}

function isOpen(row: Row): boolean {
  return isPaying(row) || isHarming(row)
}

function isPaying({ adversary, setting }: Row): boolean {
  return adversary.expected[setting].atLeast !== undefined
}

/** More than by what chance does to the fees of a few answers. */
function isHarming({ worstShare }: Row): boolean {
  return worstShare < 0.98
}

function share(value: number): string {
  return fixed2(value).replace('-0.00', '0.00')
}
