import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { SECRET_KEY_ENV } from '../../config/index.ts'
import {
  ArchiveError,
  type Clock,
  computeAddress,
  computePublicKey,
  concatBytes,
  formatAddress,
  formatSecretKey,
  parseAddress,
} from '../../core/index.ts'
import type { KeptDescription } from './kept-description.ts'
import type { NetworkFiles, SidecarDescription } from './network-files.ts'
import type { NodeLink } from './node-link.ts'
import { type Program, runCommand } from './program.ts'
import { configOf, type PlaceOptions, walletOf, writePlace } from './sidecar.ts'
import { SignedSender } from './signed-sender.ts'
import { makeTrafficSenders } from './traffic.ts'

const MAS = 1_000_000_000n
const OPERATOR_MAS = 10_000n
const SIDECAR_MAS = 1_000n
const FAUCET_MAS = 1_000_000n
const TRAFFIC_MAS = 100_000n
const OPERATOR = 'operator'
const LOOK_MS = 200

export interface OperatorModules {
  readonly files: NetworkFiles
  readonly program: Program
  readonly clock: Clock
  readonly description: KeptDescription
  readonly link: NodeLink
  /** What the configuration in a directory is to say now. */
  readonly describePlace: (directory: string) => PlaceOptions
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
  private readonly faucet: SignedSender

  constructor(modules: OperatorModules) {
    this.modules = modules
    const { description } = modules
    this.faucet = new SignedSender(`${description.value.seed} faucet`, description.chainId)
  }

  /** Keys are made before the chain: the coins are there from its first block. What an interrupted start left is removed. */
  makeWallets(sidecars: number): NewWallet[] {
    const { files, description } = this.modules
    const names = Array.from({ length: sidecars }, (_, i) => `sidecar-${i + 1}`)
    for (const path of [files.nodeDirectory, files.operatorDirectory, ...names.map((name) => files.placeOf(name))]) {
      rmSync(path, { recursive: true, force: true })
    }
    const operator = makeWallet(OPERATOR)
    const wallets = names.map(makeWallet)
    const senders = makeTrafficSenders(description.value.seed, description.chainId)
    files.write('accounts.json', {
      [operator.address]: `${OPERATOR_MAS * MAS}`,
      [this.faucet.address]: `${FAUCET_MAS * MAS}`,
      ...Object.fromEntries(wallets.map(({ address }) => [address, `${SIDECAR_MAS * MAS}`])),
      ...Object.fromEntries(senders.map(({ address }) => [address, `${TRAFFIC_MAS * MAS}`])),
    })
    return [operator, ...wallets]
  }

  /** @throws ArchiveError DEVNET_STEP_FAILED; an AbortError */
  async writeWallets(wallets: readonly NewWallet[], signal: AbortSignal): Promise<void> {
    const { description } = this.modules
    await Promise.all(
      wallets.map(({ name, secretKey }) => {
        const cwd = this.directoryOf(name)
        const args = ['wallet', 'import', '--file', walletOf(cwd), '--nickname', name]
        return this.run(cwd, args, signal, { [SECRET_KEY_ENV]: secretKey })
      }),
    )
    const operator = wallets.find(({ name }) => name === OPERATOR)
    const added = wallets.filter((wallet) => wallet !== operator)
    description.change({
      ...(operator ? { operatorAddress: operator.address } : {}),
      sidecars: [
        ...description.value.sidecars,
        ...added.map(({ name, address }) => ({ name, address, isRegistered: false })),
      ],
    })
  }

  /**
   * One sidecar more, with coins.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async addSidecar(signal: AbortSignal): Promise<SidecarDescription> {
    const { link } = this.modules
    const wallet = makeWallet(this.nextName())
    await this.writeWallets([wallet], signal)
    const { lastSlot } = await link.report()
    await this.faucet.send(link, lastSlot.period, {
      kind: 'transaction',
      recipient: parseAddress(wallet.address),
      amountNanoMas: SIDECAR_MAS * MAS,
    })
    await this.waitForCoins(wallet.address, signal)
    return { name: wallet.name, address: wallet.address, isRegistered: false }
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
    const { address } = (await this.run(cwd, ['contract', 'deploy', '--yes'], signal)) as { address: string }
    description.change({ registryAddress: address })
    return address
  }

  /** @throws ArchiveError DEVNET_STEP_FAILED; an AbortError */
  async register(name: string, signal: AbortSignal): Promise<void> {
    const { program, description } = this.modules
    const cwd = this.directoryOf(name)
    const args = ['register', '--yes', '--gb', '1', '--config', configOf(cwd)]
    try {
      await runCommand(program, { args, cwd, password: description.value.password }, signal)
    } catch (error) {
      // Interrupted the last time between its becoming final and our writing it down.
      if (!(error instanceof ArchiveError && String(error.context.said).includes('REGISTRY_NODE_EXISTS'))) throw error
    }
    description.markRegistered(name)
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

  private async waitForCoins(address: string, signal: AbortSignal): Promise<void> {
    const { link, clock } = this.modules
    for (;;) {
      const [account] = (await link.call('get_addresses', [[address]])) as { candidate_balance: string }[]
      if (Number(account?.candidate_balance) > 0) return
      signal.throwIfAborted()
      await clock.sleep(LOOK_MS, signal)
    }
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

function makeWallet(name: string): NewWallet {
  const key = concatBytes(Uint8Array.of(0), randomBytes(32))
  return { name, secretKey: formatSecretKey(key), address: formatAddress(computeAddress(computePublicKey(key))) }
}
