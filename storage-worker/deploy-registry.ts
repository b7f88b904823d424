import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import {
  ArchiveError,
  checkRegistryConfig,
  checkRegistryForNetwork,
  computeDeployPrice,
  type DeployPrice,
  decodeArgs,
  encodeRegistryCall,
  equalBytes,
  isArchiveError,
  type RegistryConfig,
  textListCodec,
} from '../core/index.ts'
import type { ChainPort, Deployment, Quote, SignedOperation, SubmitOptions, SubmittedOperation } from './chain-port.ts'

/** The contract that ships with this release. */
export function readShippedBytecode(): Uint8Array {
  return readBytecodeFile(join(findPackageRoot(), 'massa-storage-sc', 'build', 'storage-registry.wasm'))
}

/** @throws ArchiveError REGISTRY_CODE_INVALID when there is no such file */
export function readBytecodeFile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ArchiveError('REGISTRY_CODE_INVALID', `cannot read ${path} (${reason})`, { path, reason }, cause)
  }
}

/** A deployment that has been checked and tried, and not yet sent. */
export interface DeployPlan {
  readonly admin: string
  readonly chainId: bigint
  readonly request: Deployment
  readonly quote: Quote
  readonly price: DeployPrice
}

/**
 * Checks settings, network, balance and a trial run. Nothing is sent.
 *
 * @throws ArchiveError REGISTRY_CONFIG_INVALID, REGISTRY_MAINNET_REFUSED, CONTRACT_NOT_FOUND, CHAIN_*
 */
export async function planDeployment(
  chain: ChainPort,
  config: RegistryConfig,
  options: { readonly admin?: string | undefined; readonly bytecode?: Uint8Array } = {},
): Promise<DeployPlan> {
  checkRegistryConfig(config)
  const admin = options.admin ?? chain.account
  if (admin === undefined) throw new ArchiveError('CHAIN_KEY_MISSING', 'no key is configured to sign with')
  const parameter = encodeRegistryCall('constructor', { admin, config })
  const { chainId } = await chain.readStatus()
  checkRegistryForNetwork(config, chainId)
  await checkAdmin(chain, admin)
  const bytecode = options.bytecode ?? readShippedBytecode()
  const price = computeDeployPrice(bytecode.length, admin.length)
  const request: Deployment = {
    kind: 'deploy',
    bytecode,
    parameter,
    coinsNanoMas: price.recordsNanoMas,
    maxCoinsNanoMas: price.codeNanoMas + price.recordsNanoMas,
  }
  return { admin, chainId, request, price, quote: await chain.quote(request) }
}

/** A contract as admin must be there: nothing can ever act for the address of none. */
async function checkAdmin(chain: ChainPort, admin: string): Promise<void> {
  if (!admin.startsWith('AS') || (await chain.readBytecode(admin)) !== undefined) return
  throw new ArchiveError('CONTRACT_NOT_FOUND', `the admin ${admin} is a contract's address, and there is none`, {
    address: admin,
  })
}

export interface Deployed {
  readonly address: string
  readonly operationId: string
  readonly feeNanoMas: bigint
}

/**
 * Sends the deployment and waits until it is final.
 *
 * @param onExecuted - told the address as soon as the deployment was executed, before it is final
 * @throws ArchiveError REGISTRY_*, CHAIN_*
 */
export async function deployRegistry(
  chain: ChainPort,
  plan: DeployPlan,
  options: Pick<SubmitOptions, 'signal' | 'onSigned' | 'onSent'> & {
    readonly onAddress?: (address: string) => void
  } = {},
): Promise<Deployed> {
  const { onAddress, ...others } = options
  const outcome = await chain.submit(plan.request, plan.quote, {
    ...others,
    ...(onAddress ? { onExecuted: ({ events }) => onAddress(readDeployedAddress(events)) } : {}),
  })
  return toDeployed(outcome)
}

/**
 * Waits for a deployment that was signed before.
 *
 * @throws ArchiveError REGISTRY_*, CHAIN_*
 */
export async function followDeployment(
  chain: ChainPort,
  signed: SignedOperation,
  signal: AbortSignal,
): Promise<Deployed> {
  return toDeployed(await chain.follow(signed, { signal }))
}

function toDeployed({ operationId, feeNanoMas, events }: SubmittedOperation): Deployed {
  return { address: readDeployedAddress(events), operationId, feeNanoMas }
}

/** The deployer's last event is base64 of Args holding a list of addresses. */
function readDeployedAddress(events: readonly string[]): string {
  try {
    const [address] = decodeArgs(textListCodec, Buffer.from(events.at(-1) ?? '', 'base64'))
    if (address?.startsWith('AS')) return address
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
  }
  throw new ArchiveError('CHAIN_ANSWER_INVALID', 'the deployment was executed and its events name no contract')
}

/** Bytecode at an address beside the one that ships with this release. */
export interface CodeComparison {
  readonly isEqual: boolean
  readonly found: Uint8Array
  readonly shipped: Uint8Array
}

/** @throws ArchiveError CONTRACT_NOT_FOUND */
export async function compareBytecode(chain: ChainPort, address: string): Promise<CodeComparison> {
  const found = await readContract(chain, address)
  const shipped = readShippedBytecode()
  return { isEqual: equalBytes(found, shipped), found, shipped }
}

/** @throws ArchiveError CONTRACT_NOT_FOUND */
export async function readContract(chain: ChainPort, address: string): Promise<Uint8Array> {
  await chain.readStatus()
  const found = await chain.readBytecode(address)
  if (found === undefined)
    throw new ArchiveError('CONTRACT_NOT_FOUND', `there is no contract at ${address}`, { address })
  return found
}
