import { type ByteSource, openFileSource } from './byte-source.ts'
import { openHttpSource } from './http-source.ts'

/** Whether it is an address, and no path. */
export function isAddress(name: string): boolean {
  return /^https?:\/\//i.test(name)
}

/** @param name - path, or http address; @throws ArchiveError STORE_FILE_* */
export function openSource(name: string, signal: AbortSignal): Promise<ByteSource> {
  return isAddress(name) ? openHttpSource(name, signal) : openFileSource(name)
}
