import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createApi, listen } from '../../api/index.ts'
import { openRecordedArchive, type RecordedArchive } from '../api/gateway/recorded-gateway.ts'
import { bundleForBrowsers } from './bundles.ts'

export interface ExplorerSite extends RecordedArchive {
  /** Ends with a slash. */
  readonly url: string
  close(): Promise<void>
}

/** The explorer of an archive of what a real node said, on loopback. */
export async function openExplorerSite(): Promise<ExplorerSite> {
  const folder = mkdtempSync(join(tmpdir(), 'massa-storage-explorer-'))
  for (const [name, bytes] of await bundleForBrowsers()) {
    if (dirname(name) !== 'explorer') continue
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, basename(name)), bytes)
  }
  const archive = await openRecordedArchive()
  const api = createApi({
    dataDirNames: new Set(),
    status: async () => ({ problems: [] }),
    query: {} as never,
    gateway: { history: archive.answers },
    explorerFolder: folder,
  })
  const url = await listen(api, { host: '127.0.0.1', port: 0 })
  return {
    ...archive,
    url: `${url}/`,
    close: async () => {
      await api.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
