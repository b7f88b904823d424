import type { Role } from './casting.ts'

/** A sidecar of a network, and what it plays. */
export interface Player {
  /** Of the network. */
  readonly sidecar: string
  /** Undefined: the honest one. */
  readonly program: string | undefined
  /** Undefined: an honest node of its own. */
  readonly role: Role | undefined
  /** What it is called when some role is after it. */
  readonly victimOf: Role | undefined
}

export interface Cast {
  /** In the order of the sidecars; the first one challenges, and nobody challenges it. */
  readonly players: readonly Player[]
  /** By the programs of adversaries: the sidecar that each is after, or belongs to. */
  readonly fellows: Readonly<Record<string, string>>
}

/** Beside the one that challenges, and those that some adversary is after. */
export const HONEST_SIDECARS = 2

export function castNetwork(roles: readonly Role[]): Cast {
  const victims = roles.flatMap((role) => {
    if (role.victim === undefined) return []
    return Array.from({ length: role.isAlone ? HONEST_SIDECARS : 1 }, () => role)
  })
  const plain = roles.some(({ isAlone }) => isAlone) ? 0 : Math.max(HONEST_SIDECARS - victims.length, 1)
  const parts: Omit<Player, 'sidecar'>[] = [
    { program: 'frequent-challenger', role: undefined, victimOf: undefined },
    ...victims.map((victimOf) => ({ program: undefined, role: undefined, victimOf })),
    ...Array.from({ length: plain }, () => ({ program: undefined, role: undefined, victimOf: undefined })),
    ...roles.flatMap((role) => role.programs.map((program) => ({ program, role, victimOf: undefined }))),
  ]
  const players = parts.map((part, i) => ({ ...part, sidecar: `sidecar-${i + 1}` }))
  const fellows: Record<string, string> = {}
  for (const { sidecar, victimOf } of players) {
    for (const program of victimOf?.programs ?? []) if (program !== undefined) fellows[program] = sidecar
  }
  for (const role of roles) {
    const own = players.filter((player) => player.role === role)
    const disk = own.find(({ program }) => program === undefined)
    for (const { program } of disk ? own : []) if (program !== undefined) fellows[program] = disk?.sidecar ?? ''
  }
  return { players, fellows }
}
