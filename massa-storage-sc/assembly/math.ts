/*
 * Integer arithmetic of the contract: u64 only, u128 costs half a million gas a division.
 */

/** floor(a x b / c) for b <= c < 2^32, without overflow for any a. */
export function mulDiv(a: u64, b: u64, c: u64): u64 {
  return (a / c) * b + ((a % c) * b) / c;
}

const PPM: u64 = 1_000_000;

/** ceil(a x ppm / 10^6) for ppm <= 10^6, without overflow for any a. */
export function shareOf(a: u64, ppm: u64): u64 {
  return (a / PPM) * ppm + ceilDiv((a % PPM) * ppm, PPM);
}

/** a x b, or 2^64 - 1 where that does not fit. */
export function saturatingMul(a: u64, b: u64): u64 {
  if (b != 0 && a > u64.MAX_VALUE / b) return u64.MAX_VALUE;
  return a * b;
}

/** a + b, or 2^64 - 1 where that does not fit. */
export function saturatingAdd(a: u64, b: u64): u64 {
  return a > u64.MAX_VALUE - b ? u64.MAX_VALUE : a + b;
}

/** a / b rounded up, b > 0. */
export function ceilDiv(a: u64, b: u64): u64 {
  return a / b + (a % b == 0 ? 0 : 1);
}

/** The 128-bit number high x 2^64 + low, mod n, for n < 2^32. */
export function mod128(high: u64, low: u64, n: u64): u64 {
  // 2^64 mod n, without leaving 64 bits
  const wrap = ((u64.MAX_VALUE % n) + 1) % n;
  return ((high % n) * wrap + (low % n)) % n;
}
