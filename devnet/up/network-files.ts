import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../../config/index.ts'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { wrapDiskError } from '../disk-error.ts'

const OWNER_ONLY = 0o600
const OWNER_ONLY_FOLDER = 0o700
const NETWORK_FILE = 'network.json'
const TEMPORARY_DESCRIPTION = /^network\.json\.\d+\.tmp$/
const DAMAGED = 'damaged'
const RUNNING_FILE = 'running.json'

/** A name is a folder and a process: nothing that could leave the directory. */
export const SIDECAR_NAME = /^sidecar-[1-9]\d{0,2}$/

const description = z.strictObject({
  version: z.literal(1),
  chainId: z.string().regex(/^\d{1,20}$/),
  /** Decides producers, stakers and the keys of the background traffic. */
  seed: z.string().min(1),
  /** Of every wallet here. They hold coins of this network alone. */
  password: z.string().min(1),
  operatorAddress: z.string(),
  /** Absent until it is deployed. */
  registryAddress: z.string().optional(),
  sidecars: z.array(
    z.strictObject({
      name: z.string().regex(SIDECAR_NAME),
      address: z.string(),
      isRegistered: z.boolean(),
      /** Absent: for ever. */
      retentionPeriods: z.int().min(1).optional(),
    }),
  ),
  /** What its registry is deployed with, other than a devnet's usual settings. */
  registryParams: z.record(z.string(), z.union([z.boolean(), z.int().min(0)])).optional(),
})

const port = z.int().min(1).max(65_535)
const running = z.strictObject({
  version: z.literal(1),
  pid: z.int().positive(),
  /** Who runs it, for whoever knows the token. */
  url: z.string(),
  token: z.string(),
  /** Control of the node. */
  node: z.strictObject({ url: z.string(), token: z.string(), grpcPort: port, jsonRpcPort: port }),
})

/** What stays of a network between runs. */
export type NetworkDescription = z.infer<typeof description>
/** Settings by their names in a file of `contract deploy --params`. */
export type RegistryParams = NonNullable<NetworkDescription['registryParams']>
export type SidecarDescription = NetworkDescription['sidecars'][number]
/** Where a running network is. It may be stale: `findRunning` asks. */
export type RunningNetwork = z.infer<typeof running>

/** The files of one network. */
export class NetworkFiles {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  get nodeDirectory(): string {
    return join(this.directory, 'node')
  }

  get accountsFile(): string {
    return join(this.directory, 'accounts.json')
  }

  /** Configuration and wallet of who deployed the registry. */
  get operatorDirectory(): string {
    return join(this.directory, 'operator')
  }

  private get folders(): readonly string[] {
    return [join(this.directory, 'logs'), this.operatorDirectory]
  }

  placeOf(sidecar: string): string {
    return join(this.directory, sidecar)
  }

  /** @param name - `node` or a sidecar */
  logOf(name: string): string {
    return join(this.directory, 'logs', `${name}.log`)
  }

  /** @throws ArchiveError DEVNET_DIRECTORY_INVALID, DEVNET_DISK_FULL */
  prepare(): void {
    try {
      for (const path of [this.directory, ...this.folders]) makeFolder(path, OWNER_ONLY_FOLDER)
    } catch (cause) {
      throw unusable(this.directory, (cause as NodeJS.ErrnoException).code ?? 'unknown', cause)
    }
  }

  /**
   * @throws ArchiveError DEVNET_DIRECTORY_INVALID, also when there is something else and no network, but for
   *   what a first start has left that could not write the description
   */
  readDescription(): NetworkDescription | undefined {
    const path = join(this.directory, NETWORK_FILE)
    if (existsSync(path)) return read(path, description)
    if (this.holdsOthers()) throw unusable(this.directory, 'it holds files, and no devnet')
    return undefined
  }

  /** @throws ArchiveError DEVNET_DIRECTORY_INVALID, DEVNET_DISK_FULL */
  writeDescription(network: NetworkDescription): void {
    this.write(NETWORK_FILE, description.parse(network))
  }

  /**
   * Undefined also when it is damaged: it says nothing that outlives the network.
   *
   * @throws ArchiveError DEVNET_DIRECTORY_INVALID when it cannot be read
   */
  readRunning(): RunningNetwork | undefined {
    const path = join(this.directory, RUNNING_FILE)
    try {
      return existsSync(path) ? read(path, running) : undefined
    } catch (error) {
      if (isArchiveError(error) && error.context.reason === DAMAGED) return undefined
      throw error
    }
  }

  writeRunning(network: RunningNetwork): void {
    this.write(RUNNING_FILE, network)
  }

  removeRunning(): void {
    rmSync(join(this.directory, RUNNING_FILE), { force: true })
  }

  /** Readable by its owner only: tokens and passwords stand in them. */
  write(name: string, content: unknown): void {
    const path = join(this.directory, name)
    const temporary = `${path}.${process.pid}.tmp`
    try {
      writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: OWNER_ONLY })
      renameSync(temporary, path)
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw unusable(this.directory, (cause as NodeJS.ErrnoException).code ?? 'unknown', cause)
    }
  }

  /** Made by `prepare`, and empty, or by `write`. */
  private isLeftover(file: string): boolean {
    const path = join(this.directory, file)
    if (TEMPORARY_DESCRIPTION.test(file)) return true
    return this.folders.includes(path) && statSync(path).isDirectory() && readdirSync(path).length === 0
  }

  private holdsOthers(): boolean {
    try {
      return existsSync(this.directory) && readdirSync(this.directory).some((file) => !this.isLeftover(file))
    } catch (cause) {
      throw unusable(this.directory, (cause as NodeJS.ErrnoException).code ?? 'unknown', cause)
    }
  }
}

/** A directory that its maker removes again. */
export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), temporaryPrefix()))
}

/** Those of this user, of networks that run or were killed. */
export function listTemporaryDirectories(): string[] {
  const prefix = temporaryPrefix()
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(tmpdir(), name))
}

export function makeToken(): string {
  return randomBytes(24).toString('hex')
}

function temporaryPrefix(): string {
  return `massa-devnet-${userInfo().uid}-`
}

function read<T>(path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? DAMAGED
    throw new ArchiveError('DEVNET_DIRECTORY_INVALID', `cannot read ${path} (${reason})`, { path, reason }, cause)
  }
}

function unusable(directory: string, reason: string, cause?: unknown): ArchiveError {
  const message = `${directory} cannot be the directory of a devnet (${reason})`
  return wrapDiskError(cause, { code: 'DEVNET_DIRECTORY_INVALID', message, context: { directory, reason } })
}
