import {
  ArchiveError,
  BYTE_PRICE_NANO_MAS,
  CHANGE_APPLY_PERIODS,
  checkRegistryConfig,
  checkRegistryConfigChange,
  checkRegistryForNetwork,
  computeCodeAnnouncementHash,
  computeConfigAnnouncementHash,
  equalBytes,
  isArchiveError,
  type RegistryConfig,
  toHex,
} from '../core/index.ts'
import type { Quote, SubmitOptions } from './chain-port.ts'
import { planDeployment } from './deploy-registry.ts'
import type { RegistryClient, RegistryOutcome } from './registry-client.ts'

/** A change by the admin: made known first, applied by the same call after the registry's delay. */
export type RegistryChange =
  | { readonly what: 'config'; readonly config: RegistryConfig }
  | { readonly what: 'code'; readonly bytecode: Uint8Array }

/** Where a kind of change stands. */
export interface PendingChange {
  readonly what: RegistryChange['what']
  /** Lower-case hex. */
  readonly hash: string
  readonly announcedPeriod: bigint
  /** First period in which it may be applied. */
  readonly fromPeriod: bigint
  /** Last one; after it the change has to be announced again. */
  readonly untilPeriod: bigint
  /** It may be applied now. */
  readonly isDue: boolean
  readonly isExpired: boolean
}

export async function readPendingChange(
  client: RegistryClient,
  what: RegistryChange['what'],
): Promise<PendingChange | undefined> {
  const announcement = await client.readAnnouncement(what)
  if (!announcement) return undefined
  const { adminDelayPeriods } = await client.read('getConfig', {})
  const { period } = await client.chain.readStatus()
  const now = BigInt(period)
  const fromPeriod = announcement.announcedPeriod + adminDelayPeriods
  const untilPeriod = fromPeriod + CHANGE_APPLY_PERIODS
  return {
    what,
    hash: toHex(announcement.hash),
    announcedPeriod: announcement.announcedPeriod,
    fromPeriod,
    untilPeriod,
    isDue: now >= fromPeriod && now <= untilPeriod,
    isExpired: now > untilPeriod,
  }
}

/** Of both kinds. */
export async function readPendingChanges(client: RegistryClient): Promise<PendingChange[]> {
  const changes = [await readPendingChange(client, 'config'), await readPendingChange(client, 'code')]
  return changes.filter((change) => change !== undefined)
}

/** Settings of the chain with those of `changed` in their place, checked as the contract will check them. */
export async function planConfigChange(
  client: RegistryClient,
  changed: Partial<RegistryConfig>,
): Promise<{ readonly old: RegistryConfig; readonly config: RegistryConfig }> {
  const old = await client.read('getConfig', {})
  const config = { ...old, ...changed }
  checkRegistryConfig(config)
  checkRegistryConfigChange(old, config)
  checkRegistryForNetwork(config, (await client.chain.readStatus()).chainId)
  return { old, config }
}

/**
 * Looks whether the first call may be made. The same change announced before must not be sent again: after its delay
 * that would apply it.
 *
 * @returns false when it was announced before, and may still be applied
 * @throws ArchiveError CONTRACT_NO_DELAY, REGISTRY_*, CHAIN_*
 */
export async function checkAnnounce(client: RegistryClient, change: RegistryChange): Promise<boolean> {
  const { adminDelayPeriods } = await client.read('getConfig', {})
  if (adminDelayPeriods === 0n) {
    throw new ArchiveError(
      'CONTRACT_NO_DELAY',
      'the delay of this registry is 0: the first call would apply the change',
    )
  }
  const known = await readPendingChange(client, change.what)
  return !known || known.isExpired || known.hash !== toHex(hashOf(change))
}

/**
 * Looks whether the second call, with a delay of 0 the only one, would apply the change.
 *
 * @throws ArchiveError CONTRACT_NOT_ANNOUNCED, REGISTRY_TOO_EARLY, CHAIN_*
 */
export async function checkApply(client: RegistryClient, change: RegistryChange): Promise<void> {
  const { adminDelayPeriods } = await client.read('getConfig', {})
  if (adminDelayPeriods === 0n) return
  const pending = await readPendingChange(client, change.what)
  const hash = toHex(hashOf(change))
  if (pending?.hash !== hash) {
    const found = pending ? `${pending.hash} is announced` : 'nothing is announced'
    throw new ArchiveError('CONTRACT_NOT_ANNOUNCED', `${found}, not this change, ${hash}`, { hash })
  }
  if (pending.isExpired) {
    const message = `it had to be applied by period ${pending.untilPeriod}: announce it again`
    throw new ArchiveError('CONTRACT_NOT_ANNOUNCED', message, { hash, untilPeriod: pending.untilPeriod })
  }
  if (!pending.isDue) {
    throw new ArchiveError('REGISTRY_TOO_EARLY', `it may be applied from period ${pending.fromPeriod} on`, {
      fromPeriod: pending.fromPeriod,
    })
  }
}

/** An announcement takes 50 bytes on the ledger; what is not used comes back. */
const ANNOUNCEMENT_COINS_NANO_MAS = 10_000_000n

/** Coins to send with the call: for the announcement, and for what the new code is longer. */
async function computeCoins(client: RegistryClient, change: RegistryChange): Promise<bigint> {
  if (change.what === 'config') return ANNOUNCEMENT_COINS_NANO_MAS
  const found = await client.chain.readBytecode(client.address)
  const growthBytes = Math.max(0, change.bytecode.length - (found?.length ?? 0))
  return BigInt(growthBytes) * BYTE_PRICE_NANO_MAS + ANNOUNCEMENT_COINS_NANO_MAS
}

/**
 * Tries the code of a change as a contract of its own, which nobody sees: upgraded to, code that cannot start would be the
 * end of the registry.
 *
 * @throws ArchiveError REGISTRY_CODE_INVALID; CHAIN_BALANCE_SHORT when the account does not hold what a deployment costs
 */
export async function tryCode(client: RegistryClient, bytecode: Uint8Array): Promise<void> {
  const config = await client.read('getConfig', {})
  try {
    await planDeployment(client.chain, config, { bytecode })
  } catch (cause) {
    if (!isArchiveError(cause) || !/^(CHAIN_TRIAL_FAILED|REGISTRY_)/.test(cause.code)) throw cause
    throw new ArchiveError('REGISTRY_CODE_INVALID', `the code does not run: ${cause.message}`, {}, cause)
  }
}

/** Whether the chain has it already. */
export async function isInForce(client: RegistryClient, change: RegistryChange): Promise<boolean> {
  if (change.what === 'config') {
    return equalBytes(hashOf({ what: 'config', config: await client.read('getConfig', {}) }), hashOf(change))
  }
  const found = await client.chain.readBytecode(client.address)
  return found !== undefined && equalBytes(found, change.bytecode)
}

/**
 * What announcing a change that is in force already would take back: settings end the announcement that stands, code takes
 * its place.
 */
export async function findTakenBack(
  client: RegistryClient,
  change: RegistryChange,
): Promise<PendingChange | undefined> {
  const pending = await readPendingChange(client, change.what)
  return pending?.hash === toHex(hashOf(change)) ? undefined : pending
}

/** What the next call for this change would need. */
export async function quoteChange(client: RegistryClient, change: RegistryChange): Promise<Quote> {
  const coins = await computeCoins(client, change)
  return change.what === 'config'
    ? client.quote('updateConfig', change.config, coins)
    : client.quote('upgrade', { bytecode: change.bytecode }, coins)
}

/** Makes the call that announces or applies; `checkAnnounce` and `checkApply` say which it will be. */
export async function sendChange(
  client: RegistryClient,
  change: RegistryChange,
  quote: Quote,
  options: SubmitOptions = {},
): Promise<RegistryOutcome> {
  const all = { ...options, quote, coinsNanoMas: await computeCoins(client, change) }
  return change.what === 'config'
    ? client.call('updateConfig', change.config, all)
    : client.call('upgrade', { bytecode: change.bytecode }, all)
}

function hashOf(change: RegistryChange): Uint8Array {
  return change.what === 'config'
    ? computeConfigAnnouncementHash(change.config)
    : computeCodeAnnouncementHash(change.bytecode)
}
