/** Levenshtein distance: insertions, deletions and replacements of one character that turn `a` into `b`. */
export function computeEditDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/**
 * The candidate that was most likely meant. A right name in the wrong table (`grpc_urls` for `node.grpc_urls`) is nearer
 * than a different name in the right one.
 *
 * @param candidates - at least one dotted path; the first wins a tie
 */
export function findNearestKey(key: string, candidates: readonly string[]): string {
  let nearest = ''
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const whole = computeEditDistance(key, candidate)
    const moved = computeEditDistance(lastPart(key), lastPart(candidate)) + 1
    const distance = Math.min(whole, moved)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1)
}
