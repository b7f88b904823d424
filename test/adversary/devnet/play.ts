import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERA_PERIODS, type Period } from '../../../core/index.ts'
import { systemClock } from '../../../daemon/system-clock.ts'
import { Stage } from '../../../devnet/scenarios/index.ts'
import { startCli } from '../../e2e/run-cli.ts'
import { DEED } from '../sidecars/twist.ts'
import type { Role } from './casting.ts'
import type { DevnetRow } from './result.ts'
import { readStandings, type Standing } from './standing.ts'

/** As the build leaves them. */
const PROGRAMS = fileURLToPath(new URL('../../../dist/.test/adversary/sidecars/', import.meta.url))
/** Beside the one that challenges, which nobody challenges. */
export const HONEST_SIDECARS = 2
/** From here on there are audits: the placement is in force, and a draw has blocks. */
const FIRST_PERIOD = ERA_PERIODS + 8
/** What is not as shipped: a run is too short for 225 periods to answer in, and for as many between two strikes. */
export const REGISTRY_SETTINGS = { challenge_response_timeout: 640_000, strike_spacing_periods: 16 } as const
/** Blocks that cost little: nothing of this is about them. */
const NODE_OPTION = '--endorsements 0'
/** What `devnet up` prints when everything is set up. */
const READY = 'Try next'
const LOOK_MS = 1_000
const LIMIT_MS = 1_800_000

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
  const dir = mkdtempSync(join(tmpdir(), 'massa-storage-adversaries-'))
  const settings = Object.entries(REGISTRY_SETTINGS).map(([name, value]) => `    ${name} = ${value}\n`)
  writeFileSync(join(dir, 'registry.toml'), `[storage_registry]\n${settings.join('')}`)
  const programs = ['frequent-challenger', ...Array<undefined>(HONEST_SIDECARS), ...roles.map(({ program }) => program)]
  const cast = programs.flatMap((program, i) =>
    program === undefined ? [] : ['--sidecar', `sidecar-${i + 1}=${join(PROGRAMS, `${program}.js`)}`],
  )
  const args = ['devnet', 'up', '-n', `${programs.length}`, '--turbo', '--auto-ports', '--data-dir', 'net']
  const network = startCli([...args, '--registry-params', 'registry.toml', `--node-option=${NODE_OPTION}`, ...cast], {
    cwd: dir,
    limitMs: LIMIT_MS,
  })
  try {
    await network.waitFor(READY)
    const stage = await Stage.open(join(dir, 'net'), systemClock)
    const { registryAddress = '', sidecars } = await stage.report()
    const judged = sidecars.slice(1)
    const addresses = judged.map(({ address }) => address)
    const before = await readStandings(stage.link, registryAddress, addresses)
    const lastPeriod = FIRST_PERIOD + eras * ERA_PERIODS
    const startPeriod = before.reduce((first, { node }) => Math.min(first, Number(node.registeredPeriod)), lastPeriod)
    for (let period = 0; period < lastPeriod; await systemClock.sleep(LOOK_MS)) {
      assert(network.child.exitCode === null, 'the network has ended')
      const now = (await stage.link.tryReport())?.finalSlot.period ?? period
      if (Math.floor(now / 32) > Math.floor(period / 32)) tell(`period ${now} of ${lastPeriod}`)
      period = now
    }
    const after = await readStandings(stage.link, registryAddress, addresses)
    const rows = judged.map(({ name }, i) => {
      const log = readFileSync(join(dir, 'net/logs', `${name}.log`), 'utf8')
      const role = roles[i - HONEST_SIDECARS]
      return describe(role, before[i], after[i], log)
    })
    return { periods: lastPeriod - startPeriod, rows }
  } finally {
    network.child.kill('SIGINT')
    await network.ended
    rmSync(dir, { recursive: true, force: true })
  }
}

function describe(
  role: Role | undefined,
  before: Standing | undefined,
  after: Standing | undefined,
  log: string,
): DevnetRow {
  assert(before && after)
  const { node } = after
  const deeds = log.split('\n').filter((line) => line.startsWith(DEED))
  return {
    name: role?.adversary.name ?? null,
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
