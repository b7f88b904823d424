import { resolve } from 'node:path'
import * as z from 'zod'
import { toHex } from '../../core/bytes.ts'
import type { FileCpu } from '../../storage-worker/archive-file/check-period.ts'
import { openArchiveFile } from '../../storage-worker/archive-file/file-reader.ts'
import { isAddress, openSource } from '../../storage-worker/archive-file/open-source.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { importToArchive } from '../import-access.ts'
import { findAnchored, type RootOptions } from '../known-roots.ts'
import { formatBytes, formatCount } from '../output.ts'

export interface ImportFileOptions {
  /** Path or http address. */
  readonly file: string
  /** Hex, of the file: another one is refused. */
  readonly root?: string
  /** 32 bytes, by era: what has another one is refused. */
  readonly trustRoot?: ReadonlyMap<number, Uint8Array>
  /** For tests, as of `RootOptions`. */
  readonly findAnchors?: RootOptions['findAnchors']
  /** For tests: in place of worker threads. */
  readonly cpu?: FileCpu
}

const progressRow = z.object({ done: z.int(), total: z.int(), bytes: z.int() })
const report = z.object({
  root: z.string(),
  first: z.int(),
  last: z.int(),
  imported: z.int(),
  held: z.int(),
  rooted: z.int(),
  unproven: z.array(z.object({ from: z.int(), to: z.int() })),
})

/** Brings the periods of an archive file into the archive; what it has is left as it is. @throws ArchiveError of `importToArchive` */
export async function importFile(context: Context, options: ImportFileOptions, signal: AbortSignal): Promise<number> {
  const { output, cwd } = context
  const { file, root, cpu } = options
  const { config } = context.load()
  const source = isAddress(file) ? file : resolve(cwd, file)
  const trusted = await findTrusted(context, source, options, signal)
  const eraRoots = Object.fromEntries(Array.from(trusted, ([era, known]) => [era, toHex(known)]))
  const request = {
    source,
    ...(root === undefined ? {} : { root }),
    ...(trusted.size === 0 ? {} : { eraRoots }),
  }
  const progress = output.progress('Importing')
  let result: unknown
  try {
    for await (const answer of importToArchive(config, request, signal, cpu)) {
      if ('progress' in answer) {
        const { done, total, bytes } = parseAnswer(progressRow, answer.progress)
        progress.update(done, total, formatBytes(bytes))
      } else if ('result' in answer) result = answer.result
    }
  } finally {
    progress.end()
  }
  const { first, last, imported, held, rooted, unproven, ...rest } = parseAnswer(report, result)
  output.value({ root: rest.root, first, last, imported, held, rooted, unproven })
  const before = held === 0 ? '' : `, ${held.toLocaleString('en-US')} were archived before`
  output.line(`Imported ${formatCount(imported, 'period')} of ${first} to ${last}${before}.`)
  if (root !== undefined || trusted.size > 0) {
    const [many, others] = [rooted, imported - rooted].map((count) => formatCount(count, 'period'))
    output.line(`${many} by chunks under a trusted root, and signatures; ${others} by ids and signatures.`)
  }
  if (unproven.length > 0) {
    const spans = unproven.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ')
    output.warn(`nothing that is archived proves periods ${spans}: they are as true as the file`)
    output.remark(`Compare its root ${rest.root} with somebody you trust.`)
  }
  const { retentionPeriods } = config
  if (retentionPeriods > 0 && last - first >= retentionPeriods) {
    output.warn(`retention_periods = ${retentionPeriods}: 'massa-storage start' deletes what is older`)
  }
  return EXIT_CODES.ok.code
}

/** Roots of eras of the file: those that the user has, and those that a massa-node says are anchored. */
async function findTrusted(
  context: Context,
  source: string,
  { trustRoot = new Map<number, Uint8Array>(), findAnchors }: ImportFileOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Uint8Array>> {
  if (context.load().config.storageRegistryAddress === '' && !findAnchors) return trustRoot
  const file = await openSource(source, signal)
  try {
    const { eras } = await openArchiveFile(file)
    const asked = eras.map(({ era }) => era).filter((era) => !trustRoot.has(era))
    const anchored = await findAnchored(context, asked, findAnchors ? { findAnchors } : {}, signal)
    return new Map([...anchored, ...trustRoot])
  } finally {
    await file.close()
  }
}
