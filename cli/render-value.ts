import { toSnakeCase } from '../config/index.ts'
import { type RegistryNode, toHex } from '../core/index.ts'
import type { Output } from './output.ts'

/** What a contract returned, as JSON has it: integers of 64 bits and more as decimal texts, bytes as hex. */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toPlain(inner)]))
}

/** The same for people: one value, or a table of fields in snake_case. */
export function renderValue(output: Output, value: unknown): void {
  const plain = toPlain(value)
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    output.line(renderCell(plain))
    return
  }
  output.table(Object.entries(plain).map(([name, inner]) => [toSnakeCase(name), renderCell(inner)]))
}

function renderCell(value: unknown): string {
  if (value === null || value === undefined) return '-'
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`
}

/** A node in one line; rewards in nanoMAS, as the registry has them. */
export function summariseNode(node: RegistryNode): string {
  return `allocated_gb=${node.allocatedGb}, success_rate=${formatSuccessRate(node)}, pending_rewards=${node.pendingRewards}`
}

/** Passed among the challenges that are over, at least one decimal; 1.0 while none is: none was failed. */
export function formatSuccessRate({ totalChallenges, passedChallenges, openChallenges }: RegistryNode): string {
  const over = totalChallenges - BigInt(openChallenges)
  if (over <= 0n) return '1.0'
  // Rounded down: 1.0 is for whoever failed none.
  const thousandths = (passedChallenges * 1000n) / over
  const decimals = (thousandths % 1000n)
    .toString()
    .padStart(3, '0')
    .replace(/0{1,2}$/, '')
  return `${thousandths / 1000n}.${decimals}`
}
