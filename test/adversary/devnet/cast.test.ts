import assert from 'node:assert/strict'
import { castNetwork } from './cast.ts'
import { groupRoles, ROLES } from './casting.ts'

describe('adversary/devnet/cast', () => {
  it('whom an adversary is after is honest, and no two are after the same', () => {
    const { players, fellows } = castNetwork(ROLES.filter(({ isAlone }) => !isAlone))
    const honest = players.slice(1).filter(({ program, role }) => program === undefined && role === undefined)
    const after = ROLES.filter(({ victim, isAlone }) => victim !== undefined && !isAlone).map(
      ({ programs: [program = ''] }) => fellows[program],
    )
    assert.equal(new Set(after).size, after.length)
    for (const sidecar of after) assert.ok(honest.some((player) => player.sidecar === sidecar))
    // One that nobody is after, to hold them against.
    assert.ok(honest.length > after.length)
  })

  it('identities of one disk have that of one of their own, which runs what honest ones run', () => {
    const { players, fellows } = castNetwork(ROLES.filter(({ adversary }) => adversary.name.startsWith('many')))
    const disk = players.find(({ sidecar }) => sidecar === fellows['answers-from-one-disk'])
    assert.deepEqual([disk?.program, disk?.role?.adversary.identities !== undefined], [undefined, true])
  })

  it('who is after all others has honest ones alone beside it, and all of them are told as its victims', () => {
    const [role] = ROLES.filter(({ isAlone }) => isAlone)
    assert.ok(role)
    const { players } = castNetwork([role])
    assert.deepEqual(
      players.map(({ program, victimOf }) => [program, victimOf === role]),
      [
        ['frequent-challenger', false],
        [undefined, true],
        [undefined, true],
        ['issues-nonsense', false],
      ],
    )
  })

  it('who is after all others has a network without other adversaries', () => {
    const groups = groupRoles(ROLES, 6)
    for (const group of groups) assert.ok(group.length === 1 || group.every(({ isAlone }) => !isAlone))
    assert.deepEqual(new Set(groups.flat()), new Set(ROLES))
  })
})
