import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PASSWORD_ENV } from '../../../config/index.ts'
import { ERA_PERIODS, type Period } from '../../../core/index.ts'
import { systemClock } from '../../../daemon/system-clock.ts'
import { Stage } from '../../../devnet/scenarios/index.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import { runCli, startCli } from '../../e2e/run-cli.ts'
import { FELLOWS_ENV } from '../sidecars/fellow.ts'
import { DEED } from '../sidecars/twist.ts'
import { castNetwork, type Player } from './cast.ts'
import type { Role } from './casting.ts'
import type { DevnetRow } from './result.ts'
import { readStandings, type Standing } from './standing.ts'

/** As the build leaves them. */
const PROGRAMS = fileURLToPath(new URL('../../../dist/.test/adversary/sidecars/', import.meta.url))
/** From here on there are audits: the placement is in force, and a draw has blocks. */
const FIRST_PERIOD = ERA_PERIODS + 8
/** What is not as shipped: a run is too short for 225 periods to answer in, and for as many between two strikes. */
export const REGISTRY_SETTINGS = { challenge_response_timeout: 640_000, strike_spacing_periods: 16 } as const
/** Blocks that cost little: nothing of this is about them. */
const NODE_OPTION = '--endorsements 0'
/** What `devnet up` prints when everything is set up. */
const READY = 'Try next'
const LOOK_MS = 1_000
const LIMIT_MS = 5_400_000
const MAX_TRIES = 5

/**
 * Plays adversaries in one network, each a process of its own.
 *
 * @param eras - so many once the placement is in force
 * @param tell - told how far it is
 */
export async function playOnDevnet(
  roles: readonly Role[],
  eras: number,
  tell: (text: string) => void,
): Promise<{ readonly periods: Period; readonly rows: readonly DevnetRow[] }> {
  const { players, fellows } = castNetwork(roles)
  const dir = mkdtempSync(join(tmpdir(), 'massa-storage-adversaries-'))
  const settings = Object.entries(REGISTRY_SETTINGS).map(([name, value]) => `    ${name} = ${value}\n`)
  writeFileSync(join(dir, 'registry.toml'), `[storage_registry]\n${settings.join('')}`)
  const programs = players.flatMap(({ sidecar, program }) =>
    program === undefined ? [] : ['--sidecar', `${sidecar}=${join(PROGRAMS, `${program}.js`)}`],
  )
  const args = ['devnet', 'up', '-n', `${players.length}`, '--turbo', '--auto-ports', '--data-dir', 'net']
  const network = startCli(
    [...args, '--registry-params', 'registry.toml', `--node-option=${NODE_OPTION}`, ...programs],
    {
      cwd: dir,
      env: { [FELLOWS_ENV]: JSON.stringify(fellows) },
      limitMs: LIMIT_MS,
    },
  )
  try {
    await network.waitFor(READY)
    const stage = await Stage.open(join(dir, 'net'), systemClock)
    const { registryAddress = '', sidecars } = await stage.report()
    const addresses = sidecars.slice(1).map(({ address }) => address)
    const before = await readStandings(stage.link, registryAddress, addresses)
    for (const [i, { role, program }] of players.entries()) {
      if (role?.adversary.isChallenger && program) await allowChallenger(join(dir, 'net'), sidecars[i]?.address ?? '')
    }
    const lastPeriod = FIRST_PERIOD + eras * ERA_PERIODS
    const startPeriod = before.reduce((first, { node }) => Math.min(first, Number(node.registeredPeriod)), lastPeriod)
    const killed = players.filter(({ victimOf }) => victimOf?.hasVictimKilled)
    for (let period = 0; period < lastPeriod; await systemClock.sleep(LOOK_MS)) {
      assert(network.child.exitCode === null, 'the network has ended')
      const now = (await stage.link.tryReport())?.finalSlot.period ?? period
      if (Math.floor(now / 32) > Math.floor(period / 32)) tell(`period ${now} of ${lastPeriod}`)
      if (countMiddles(now) > countMiddles(period) && now > ERA_PERIODS) {
        for (const { sidecar } of killed) await stage.order('kill', sidecar)
      }
      period = now
    }
    const after = await readStandings(stage.link, registryAddress, addresses)
    const logOf = (sidecar: string) => readFileSync(join(dir, 'net/logs', `${sidecar}.log`), 'utf8')
    const rows = players.slice(1).map((player, i) => describe(player, before[i], after[i], logOf(player.sidecar)))
    return { periods: lastPeriod - startPeriod, rows: sumByRole(players.slice(1), rows) }
  } finally {
    network.child.kill('SIGINT')
    await network.ended
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Of eras, up to a period. */
function countMiddles(period: Period): number {
  return Math.floor((period + ERA_PERIODS / 2) / ERA_PERIODS)
}

/** As the admin would. */
async function allowChallenger(directory: string, address: string): Promise<void> {
  const files = new NetworkFiles(directory)
  const args = ['sc', 'call', 'storage_registry', 'addChallenger', address, '--coins', '1', '--yes']
  const env = { [PASSWORD_ENV]: files.readDescription()?.password ?? '' }
  let said = ''
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { code, stderr } = await runCli([...args, '--config', 'config.toml'], { cwd: files.operatorDirectory, env })
    if (code === 0 || stderr.includes('REGISTRY_CHALLENGER_KNOWN')) return
    said = stderr
  }
  throw new Error(`cannot have ${address} challenge: ${said}`)
}

function describe(
  { role, victimOf }: Player,
  before: Standing | undefined,
  after: Standing | undefined,
  log: string,
): DevnetRow {
  assert(before && after)
  const { node } = after
  const deeds = log.split('\n').filter((line) => line.startsWith(DEED))
  return {
    name: role?.adversary.name ?? null,
    victim: victimOf?.victim ?? null,
    nodes: 1,
    passed: Number(node.passedChallenges),
    judged: Number(node.totalChallenges) - node.openChallenges,
    vestedNanoMas: `${node.pendingRewards}`,
    stakeLostNanoMas: `${node.slashedTotal}`,
    spentNanoMas: `${before.walletNanoMas - after.walletNanoMas}`,
    strikePoints: node.strikePoints,
    isLeaving: node.leaving,
    deeds: deeds.length,
    lastDeed: deeds.at(-1)?.slice(DEED.length) ?? null,
  }
}

/** One row for all nodes of an adversary. */
function sumByRole(players: readonly Player[], rows: readonly DevnetRow[]): DevnetRow[] {
  const sums = new Map<Role | number, DevnetRow>()
  for (const [i, row] of rows.entries()) {
    const key = players[i]?.role ?? i
    const known = sums.get(key)
    sums.set(key, known ? addRows(known, row) : row)
  }
  return [...sums.values()]
}

function addRows(a: DevnetRow, b: DevnetRow): DevnetRow {
  const add = (field: 'vestedNanoMas' | 'stakeLostNanoMas' | 'spentNanoMas') => `${BigInt(a[field]) + BigInt(b[field])}`
  return {
    ...a,
    nodes: a.nodes + b.nodes,
    passed: a.passed + b.passed,
    judged: a.judged + b.judged,
    vestedNanoMas: add('vestedNanoMas'),
    stakeLostNanoMas: add('stakeLostNanoMas'),
    spentNanoMas: add('spentNanoMas'),
    strikePoints: a.strikePoints + b.strikePoints,
    isLeaving: a.isLeaving || b.isLeaving,
    deeds: a.deeds + b.deeds,
    lastDeed: b.lastDeed ?? a.lastDeed,
  }
}
