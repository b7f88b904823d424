import { ArchiveError } from '../../core/index.ts'
import { makeToken, type NetworkDescription, type NetworkFiles, type RegistryParams } from './network-files.ts'

const CHAIN_ID = 77n

/** What stays of a network between runs; every change is written down at once. */
export class KeptDescription {
  private readonly files: NetworkFiles
  private current: NetworkDescription

  private constructor(files: NetworkFiles, current: NetworkDescription) {
    this.files = files
    this.current = current
  }

  /**
   * Of the directory, or of a new network in it.
   *
   * @param seed - of a new one; drawn when undefined
   * @throws ArchiveError DEVNET_DIRECTORY_INVALID
   */
  static open(files: NetworkFiles, seed: string | undefined): KeptDescription {
    const known = files.readDescription()
    files.prepare()
    if (known) return new KeptDescription(files, known)
    const kept = new KeptDescription(files, {
      version: 1,
      chainId: `${CHAIN_ID}`,
      seed: seed ?? `devnet ${makeToken().slice(0, 12)}`,
      password: makeToken(),
      operatorAddress: '',
      sidecars: [],
    })
    kept.change({})
    return kept
  }

  get value(): NetworkDescription {
    return this.current
  }

  get chainId(): bigint {
    return BigInt(this.current.chainId)
  }

  /** Until its wallets are written nothing of it is of worth. */
  get isNew(): boolean {
    return this.current.operatorAddress === ''
  }

  change(changes: Partial<NetworkDescription>): void {
    this.current = { ...this.current, ...changes }
    this.files.writeDescription(this.current)
  }

  /**
   * What the registry of this network is to be deployed with.
   *
   * @throws ArchiveError DEVNET_PARAMS_INVALID when it is deployed already, with others
   */
  keepRegistryParams(params: RegistryParams): void {
    const { registryAddress, registryParams = {} } = this.current
    if (registryAddress === undefined) {
      this.change({ registryParams: params })
      return
    }
    const names = new Set([...Object.keys(params), ...Object.keys(registryParams)])
    const other = [...names].find((name) => params[name] !== registryParams[name])
    if (other === undefined) return
    const [had, given] = [registryParams[other], params[other]]
    const before = had === undefined ? `was given no ${other}` : `has ${other} = ${had}`
    const now = given === undefined ? 'the file does not give it' : `the file gives ${given}`
    const message = `the registry of ${this.files.directory} is deployed: it ${before}, and ${now}`
    throw new ArchiveError('DEVNET_PARAMS_INVALID', message, { name: other })
  }

  removeSidecar(name: string): void {
    this.change({ sidecars: this.current.sidecars.filter((sidecar) => sidecar.name !== name) })
  }

  markRegistered(name: string): void {
    const sidecars = this.current.sidecars.map((sidecar) =>
      sidecar.name === name ? { ...sidecar, isRegistered: true } : sidecar,
    )
    this.change({ sidecars })
  }
}
