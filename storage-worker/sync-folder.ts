import { open } from 'node:fs/promises'

/** Makes names that were given or taken in a folder outlive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no handles on folders; its changes are journalled.
  if (process.platform === 'win32') return
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
