import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { SECRET_KEY_ENV } from '../../config/index.ts'
import {
  ArchiveError,
  type Clock,
  computeAddress,
  computePublicKey,
  concatBytes,
  type ErrorCode,
  formatAddress,
  formatSecretKey,
} from '../../core/index.ts'
import { despiteNode } from './despite-node.ts'
import { Faucet, SIDECAR_NANO_MAS } from './faucet.ts'
import type { KeptDescription } from './kept-description.ts'
import type { NetworkFiles, SidecarDescription } from './network-files.ts'
import type { NodeLink } from './node-link.ts'
import { type Program, runCommand } from './program.ts'
import { OFFERED_GB, writeRegistryParams } from './registry-params.ts'
import { configOf, type PlaceOptions, walletOf, writePlace } from './sidecar.ts'
import { makeTrafficSenders } from './traffic.ts'

const MAS = 1_000_000_000n
const OPERATOR_MAS = 10_000n
const FAUCET_MAS = 1_000_000n
const TRAFFIC_MAS = 100_000n
const OPERATOR = 'operator'

export interface OperatorModules {
  readonly files: NetworkFiles
  readonly program: Program
  readonly clock: Clock
  readonly description: KeptDescription
  readonly link: NodeLink
  /** What the configuration in a directory is to say now. */
  readonly describePlace: (directory: string) => PlaceOptions
  /** How often the node has ended so far. */
  readonly countNodeEnds: () => number
}

/** Those of a new network. */
export function nameSidecars(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `sidecar-${i + 1}`)
}

/** A key whose wallet is not written yet. */
export interface NewWallet {
  readonly name: string
  /** S1... */
  readonly secretKey: string
  readonly address: string
}

/** What operators do before a network stands, by the command line that they would use: wallets, contract, registration. */
export class OperatorSteps {
  private readonly modules: OperatorModules
  private readonly faucet: Faucet

  constructor(modules: OperatorModules) {
    this.modules = modules
    const { description } = modules
    this.faucet = new Faucet({ seed: description.value.seed, chainId: description.chainId }, modules)
  }

  /** Keys are made before the chain: the coins are there from its first block. What an interrupted start left is removed. */
  makeWallets(sidecars: number): NewWallet[] {
    const { files, description } = this.modules
    const names = nameSidecars(sidecars)
    for (const path of [files.nodeDirectory, files.operatorDirectory, ...names.map((name) => files.placeOf(name))]) {
      rmSync(path, { recursive: true, force: true })
    }
    const operator = makeWallet(OPERATOR)
    const wallets = names.map(makeWallet)
    const senders = makeTrafficSenders(description.value.seed, description.chainId)
    files.write('accounts.json', {
      [operator.address]: `${OPERATOR_MAS * MAS}`,
      [this.faucet.address]: `${FAUCET_MAS * MAS}`,
      ...Object.fromEntries(wallets.map(({ address }) => [address, `${SIDECAR_NANO_MAS}`])),
      ...Object.fromEntries(senders.map(({ address }) => [address, `${TRAFFIC_MAS * MAS}`])),
    })
    return [operator, ...wallets]
  }

  /**
   * Those of a new network.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async writeWallets(wallets: readonly NewWallet[], signal: AbortSignal): Promise<void> {
    const { description } = this.modules
    await Promise.all(wallets.map((wallet) => this.writeWallet(wallet, signal)))
    const operator = wallets.find(({ name }) => name === OPERATOR)
    const sidecars = wallets.filter((wallet) => wallet !== operator).map(describeSidecar)
    description.change({ operatorAddress: operator?.address ?? '', sidecars })
  }

  /**
   * One sidecar more, with coins. Without them it is none: nothing is left of it when that fails.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async addSidecar(
    { retentionPeriods }: { readonly retentionPeriods: number },
    signal: AbortSignal,
  ): Promise<SidecarDescription> {
    const { files, description } = this.modules
    const wallet = makeWallet(this.nextName())
    try {
      await this.writeWallet(wallet, signal)
      await this.faucet.fund(wallet.address, signal)
    } catch (error) {
      rmSync(files.placeOf(wallet.name), { recursive: true, force: true })
      throw error
    }
    const sidecar = { ...describeSidecar(wallet), ...(retentionPeriods > 0 && { retentionPeriods }) }
    description.change({ sidecars: [...description.value.sidecars, sidecar] })
    return sidecar
  }

  /**
   * The registry, unless there is one.
   *
   * @returns its address
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async deploy(signal: AbortSignal): Promise<string> {
    const { files, description, describePlace } = this.modules
    const cwd = files.operatorDirectory
    const { registryAddress } = description.value
    if (registryAddress !== undefined) {
      writePlace(describePlace(cwd))
      return registryAddress
    }
    const place = describePlace(cwd)
    const params = writeRegistryParams(place, description.value.registryParams)
    const deploy = () => this.run(cwd, ['contract', 'deploy', '--yes', '--params', params], signal)
    const { address } = (await despiteNode(deploy, this.modules, signal)) as { address: string }
    description.change({ registryAddress: address })
    return address
  }

  /**
   * Registers a sidecar, with coins when it lacks them.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async register(name: string, signal: AbortSignal): Promise<void> {
    const { program, description } = this.modules
    const cwd = this.directoryOf(name)
    const args = ['register', '--yes', '--gb', `${OFFERED_GB}`, '--operator', name, '--config', configOf(cwd)]
    const sidecar = description.value.sidecars.find((each) => each.name === name)
    // The chain may have lost what it was given: a node that is killed forgets what is not written yet.
    if (sidecar) await this.faucet.fund(sidecar.address, signal)
    const { password } = description.value
    await unlessDone('REGISTRY_NODE_EXISTS', () =>
      despiteNode(() => runCommand(program, { args, cwd, password }, signal), this.modules, signal),
    )
    description.markRegistered(name)
  }

  /**
   * Lets a sidecar challenge the others.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async allowChallenger(address: string, signal: AbortSignal): Promise<void> {
    const { files, program, description } = this.modules
    const cwd = files.operatorDirectory
    const args = ['sc', 'call', 'storage_registry', 'addChallenger', address, '--coins', '1', '--yes']
    const { password } = description.value
    const call = { args: [...args, '--config', configOf(cwd)], cwd, password }
    await unlessDone('REGISTRY_CHALLENGER_KNOWN', () =>
      despiteNode(() => runCommand(program, call, signal), this.modules, signal),
    )
  }

  directoryOf(name: string): string {
    const { files } = this.modules
    return name === OPERATOR ? files.operatorDirectory : files.placeOf(name)
  }

  private run(cwd: string, args: readonly string[], signal: AbortSignal, env: Record<string, string> = {}) {
    const { program, description, describePlace } = this.modules
    writePlace(describePlace(cwd))
    const { password } = description.value
    return runCommand(program, { args: [...args, '--config', configOf(cwd)], cwd, password, env }, signal)
  }

  private async writeWallet({ name, secretKey }: NewWallet, signal: AbortSignal): Promise<void> {
    const cwd = this.directoryOf(name)
    const args = ['wallet', 'import', '--file', walletOf(cwd), '--nickname', name]
    await this.run(cwd, args, signal, { [SECRET_KEY_ENV]: secretKey })
  }

  /** A name that no directory has: what a removed one has archived stays its own. */
  private nextName(): string {
    const { files, description } = this.modules
    for (let number = 1; ; number++) {
      const name = `sidecar-${number}`
      const isKnown = description.value.sidecars.some((sidecar) => sidecar.name === name)
      if (!isKnown && !existsSync(files.placeOf(name))) return name
    }
  }
}

/** Does a step that an earlier start was interrupted in, between its becoming final and our writing it down. */
async function unlessDone(code: ErrorCode, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (!(error instanceof ArchiveError && String(error.context.said).includes(code))) throw error
  }
}

function makeWallet(name: string): NewWallet {
  const key = concatBytes(Uint8Array.of(0), randomBytes(32))
  return { name, secretKey: formatSecretKey(key), address: formatAddress(computeAddress(computePublicKey(key))) }
}

function describeSidecar({ name, address }: NewWallet): SidecarDescription {
  return { name, address, isRegistered: false }
}
