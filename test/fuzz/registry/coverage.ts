import type { Coverage } from './run-sequence.ts'

export type PlainCoverage = Record<string, Record<string, number>>

export function toPlainCoverage(coverage: Coverage): PlainCoverage {
  return Object.fromEntries([...coverage].map(([name, counts]) => [name, Object.fromEntries(counts)]))
}

export function mergeCoverage(into: Coverage, more: PlainCoverage): void {
  for (const [name, counts] of Object.entries(more)) {
    const known = into.get(name) ?? new Map<string, number>()
    for (const [result, count] of Object.entries(counts)) known.set(result, (known.get(result) ?? 0) + count)
    into.set(name, known)
  }
}

/** Codes that were reached, of any function. */
export function listCodes(coverage: Coverage): string[] {
  const results = new Set([...coverage.values()].flatMap((counts) => [...counts.keys()]))
  return [...results].filter((result) => result.startsWith('REGISTRY_')).sort()
}

/** One line per function: calls, share accepted, refusals by code. */
export function formatCoverage(coverage: Coverage): string {
  const lines = [...coverage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, counts]) => {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const accepted = counts.get('accepted')
      if (accepted === undefined)
        return `${name}: ${[...counts]
          .sort()
          .map(([what, count]) => `${what} ${count}`)
          .join(', ')}`
      const refused = [...counts]
        .filter(([result]) => result !== 'accepted')
        .sort(([, a], [, b]) => b - a)
        .map(([code, count]) => `${code.replace('REGISTRY_', '')} ${count}`)
      return `${name}: ${total}, ${((100 * accepted) / total).toFixed(0)} % accepted; ${refused.join(', ')}`
    })
  return [...lines, `codes reached: ${listCodes(coverage).join(' ')}`].join('\n')
}
