type FieldKind = 'text' | 'u64' | 'bool'

/** Fields of every event, in their order after `NAME:`. */
const EVENTS = {
  REGISTRY_CREATED: { admin: 'text' },
  STORAGE_NODE_REGISTERED: { address: 'text', allocatedGb: 'u64' },
  STORAGE_NODE_UPDATED: { address: 'text', oldGb: 'u64', newGb: 'u64' },
  STORAGE_NODE_UNREGISTERED: { address: 'text', stake: 'u64' },
  STAKE_WITHDRAWN: { address: 'text', amount: 'u64' },
  STAKE_ADDED: { address: 'text', amount: 'u64', stake: 'u64', active: 'bool' },
  METADATA_UPDATED: { address: 'text', fromEra: 'u64' },
  CHALLENGE_ISSUED: { challengeId: 'text', nodeAddress: 'text', chunkId: 'text' },
  CHALLENGE_PASSED: { challengeId: 'text', nodeAddress: 'text' },
  /** reason: bad_chunk or bad_path */
  CHALLENGE_FAILED: { challengeId: 'text', nodeAddress: 'text', reason: 'text' },
  CHALLENGE_EXPIRED: { challengeId: 'text', nodeAddress: 'text' },
  CHALLENGE_VOIDED: { challengeId: 'text', nodeAddress: 'text' },
  NODE_SLASHED: { address: 'text', amount: 'u64', stakeLeft: 'u64', active: 'bool' },
  AUDIT_CLOSED: { address: 'text', passed: 'u64', total: 'u64', vested: 'u64', returned: 'u64' },
  REWARDS_DISTRIBUTED: { period: 'u64', totalAmount: 'u64', nodeCount: 'u64' },
  POOL_SHORT: { period: 'u64' },
  REWARDS_CLAIMED: { address: 'text', amount: 'u64' },
  REWARDS_FUNDED: { amount: 'u64' },
  ERA_VOTED: { era: 'u64', digestPrefix: 'text', tally: 'u64' },
  ERA_ANCHORED: { era: 'u64', root: 'text' },
  RECORDS_PRUNED: { kind: 'u64', count: 'u64' },
  CHALLENGER_ADDED: { address: 'text' },
  CHALLENGER_REMOVED: { address: 'text' },
  PAUSED_SET: { paused: 'bool' },
  ADMIN_PROPOSED: { address: 'text' },
  ADMIN_CHANGED: { oldAdmin: 'text', newAdmin: 'text' },
  /** what: config or code */
  ADMIN_ANNOUNCED: { what: 'text', hash: 'text', fromPeriod: 'u64' },
  /** what: config */
  ADMIN_WITHDRAWN: { what: 'text', hash: 'text' },
  CONFIG_UPDATED: { field: 'text', old: 'text', new: 'text' },
  CODE_UPGRADED: { hash: 'text' },
} as const satisfies Record<string, Readonly<Record<string, FieldKind>>>

type Events = typeof EVENTS
export type RegistryEventName = keyof Events
type ValueOf<K> = K extends 'u64' ? bigint : K extends 'bool' ? boolean : string

/** An event of the registry: `name` and its fields; u64 as bigint, hashes as lower-case hex. */
export type RegistryEvent<N extends RegistryEventName = RegistryEventName> = {
  [E in N]: { readonly name: E } & { readonly [F in keyof Events[E]]: ValueOf<Events[E][F]> }
}[N]

export const REGISTRY_EVENT_NAMES = Object.keys(EVENTS) as RegistryEventName[]

/** Undefined for a text that is no event of a registry: anybody's contract may emit anything. */
export function parseRegistryEvent(data: string): RegistryEvent | undefined {
  const colon = data.indexOf(':')
  const name = data.slice(0, colon)
  if (colon < 0 || !Object.hasOwn(EVENTS, name)) return undefined
  const kinds: [string, FieldKind][] = Object.entries(EVENTS[name as RegistryEventName])
  const texts = data.slice(colon + 1).split(',')
  if (texts.length !== kinds.length) return undefined
  const event: Record<string, unknown> = { name }
  for (const [i, [field, kind]] of kinds.entries()) {
    const value = parseField(kind, texts[i] ?? '')
    if (value === undefined) return undefined
    event[field] = value
  }
  return event as unknown as RegistryEvent
}

/** The text that the registry emits. */
export function formatRegistryEvent(event: RegistryEvent): string {
  const values = event as unknown as Readonly<Record<string, string | bigint | boolean>>
  return `${event.name}:${Object.keys(EVENTS[event.name])
    .map((field) => String(values[field]))
    .join(',')}`
}

function parseField(kind: FieldKind, text: string): string | bigint | boolean | undefined {
  switch (kind) {
    case 'text':
      return text
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'u64':
      return /^(?:0|[1-9]\d{0,19})$/.test(text) && BigInt(text) < 1n << 64n ? BigInt(text) : undefined
  }
}
