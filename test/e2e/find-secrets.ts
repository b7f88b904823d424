import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSecretKey } from '../../core/index.ts'

/** What nobody but its owner may see: a key S1..., a password, a token. */
export interface Secret {
  readonly name: string
  readonly text: string
}

/** As it may have been written somewhere: of a key its text, and its 32 bytes raw, in hex and in base64. */
function formsOf({ text }: Secret): Buffer[] {
  if (!text.startsWith('S1')) return [Buffer.from(text)]
  const seed = Buffer.from(parseSecretKey(text).subarray(1))
  const hex = seed.toString('hex')
  // Where it stands in something longer decides which of three texts base64 makes of its inner bytes.
  const inner = [0, 1, 2].map((at) => {
    const shifted = Buffer.concat([Buffer.alloc(at), seed]).toString('base64')
    return shifted.slice(4, 40)
  })
  const listed = [...seed].join(',')
  return [text.slice(2), hex, hex.toUpperCase(), listed, ...inner, ...inner.map(toUrl)]
    .map((form) => Buffer.from(form))
    .concat(seed)
}

function toUrl(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_')
}

/** Names of those that stand in it in any form. */
export function findSecrets(bytes: Uint8Array, secrets: readonly Secret[]): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return secrets.filter((secret) => formsOf(secret).some((form) => buffer.includes(form))).map(({ name }) => name)
}

/** Every file below a folder that holds a secret, with the names of those. */
export function findSecretFiles(folder: string, secrets: readonly Secret[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const names = findSecrets(readFileSync(path), secrets)
    if (names.length > 0) found[relative(folder, path)] = names
  }
  return found
}

/** Arguments of a process, as every user of the machine sees them; empty where the system does not show them. */
export function readArguments(pid: number): Buffer {
  const file = `/proc/${pid}/cmdline`
  return existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
}
