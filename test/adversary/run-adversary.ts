import { ERA_PERIODS } from '../../core/index.ts'
import { Account, type Earnings } from './account.ts'
import type { Adversary } from './adversary.ts'
import type { HistoryChunk } from './history.ts'
import { type SceneOptions, setUp } from './set-up.ts'
import { DISTRIBUTE_EVERY_PERIODS } from './sizes.ts'
import type { StorageNode } from './storage-node.ts'

export interface RunResult {
  readonly adversary: Earnings
  /** In the order of the nodes. */
  readonly honest: readonly Earnings[]
  /** Chunks on the adversary's disk at the end, each counted once however many identities it serves. */
  readonly diskChunks: number
  /** On all disks of honest nodes. */
  readonly honestDiskChunks: number
}

export interface RunOptions extends SceneOptions {
  readonly eras: number
}

/** Plays an adversary beside honest nodes; the same options give the same result on every machine. */
export function runAdversary(adversary: Adversary, options: RunOptions): RunResult {
  const { arena, challenger, key, play, startPeriod } = setUp(adversary, options)
  const { chain, honest, suspects } = arena.world
  const parties = [key, ...suspects.map(({ party }) => party)]
  const mine = new Account(arena, { parties, nodes: suspects })
  const theirs = honest.map((node) => new Account(arena, { parties: [node.party], nodes: [node] }))
  const endPeriod = startPeriod + options.eras * ERA_PERIODS
  for (let period = startPeriod + 2; period <= endPeriod; period++) {
    chain.goTo(period)
    play.act?.(arena)
    for (const node of arena.nodes) arena.answer(node)
    if (arena.world.isWatched) challenger.act(arena, suspects)
    arena.keepUp(DISTRIBUTE_EVERY_PERIODS)
  }
  const kept = new Set<HistoryChunk>()
  for (const node of suspects) for (const chunk of listKept(node)) kept.add(chunk)
  return {
    adversary: mine.close(),
    honest: theirs.map((account) => account.close()),
    diskChunks: kept.size,
    honestDiskChunks: honest.reduce((sum, node) => sum + listKept(node).length, 0),
  }
}

function listKept(node: StorageNode): HistoryChunk[] {
  return node.duty.all.filter((chunk) => node.habits.keeps(chunk))
}
