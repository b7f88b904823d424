const NANO_MAS_PER_MAS = 1_000_000_000n

/**
 * An amount as a node prints it, in MAS: `99999.50`, `0.001`, `100`.
 *
 * Nine decimals, from which zeros are cut in steps of four, two and one, each at most once: what rust_decimal does after
 * a division. So some amounts keep a zero at their end.
 */
export function formatMas(nanoMas: bigint): string {
  if (nanoMas % NANO_MAS_PER_MAS === 0n) return (nanoMas / NANO_MAS_PER_MAS).toString()
  let mantissa = nanoMas
  let decimals = 9
  for (const step of [4, 2, 1]) {
    const power = 10n ** BigInt(step)
    if (mantissa % power !== 0n) continue
    mantissa /= power
    decimals -= step
  }
  const digits = mantissa.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}
