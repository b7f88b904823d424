import {
  ceilDiv,
  mod128,
  mulDiv,
  saturatingAdd,
  saturatingMul,
  shareOf,
} from '../math';

describe('math', () => {
  test('mulDiv is the floor of the exact quotient', () => {
    for (let a: u64 = 0; a < 60; a++) {
      for (let c: u64 = 1; c <= 8; c++) {
        for (let b: u64 = 0; b <= c; b++) {
          expect(mulDiv(a, b, c)).toBe((a * b) / c);
        }
      }
    }
  });

  test('mulDiv does not overflow at the highest amounts', () => {
    expect(mulDiv(u64.MAX_VALUE, 8, 8)).toBe(u64.MAX_VALUE);
    expect(mulDiv(u64.MAX_VALUE, 100, 100)).toBe(u64.MAX_VALUE);
    expect(mulDiv(u64.MAX_VALUE, 7, 8)).toBe(16140901064495857663);
    expect(mulDiv(u64.MAX_VALUE, 0, 3)).toBe(0);
  });

  test('saturation stops at 2^64 - 1', () => {
    expect(saturatingMul(u64.MAX_VALUE, 1)).toBe(u64.MAX_VALUE);
    expect(saturatingMul(1 << 32, 1 << 32)).toBe(u64.MAX_VALUE);
    expect(saturatingMul((1 << 32) - 1, (1 << 32) + 1)).toBe(u64.MAX_VALUE);
    expect(saturatingMul(1 << 32, (1 << 32) - 1)).toBe(18446744069414584320);
    expect(saturatingMul(u64.MAX_VALUE, 0)).toBe(0);
    expect(saturatingAdd(u64.MAX_VALUE, 1)).toBe(u64.MAX_VALUE);
    expect(saturatingAdd(u64.MAX_VALUE - 1, 1)).toBe(u64.MAX_VALUE);
    expect(saturatingAdd(2, 3)).toBe(5);
  });

  test('ceilDiv rounds up', () => {
    expect(ceilDiv(0, 7)).toBe(0);
    expect(ceilDiv(1, 7)).toBe(1);
    expect(ceilDiv(7, 7)).toBe(1);
    expect(ceilDiv(8, 7)).toBe(2);
    expect(ceilDiv(u64.MAX_VALUE, 1_000_000_000)).toBe(18_446_744_074);
  });

  test('shareOf is the ceiling of the exact share', () => {
    const shares: u64[] = [0, 1, 500_001, 666_667, 999_999, 1_000_000];
    for (let i = 0; i < shares.length; i++) {
      for (let a: u64 = 0; a < 3_000_000; a += 999_983) {
        const exact = (a * shares[i] + 999_999) / 1_000_000;
        expect(shareOf(a, shares[i])).toBe(exact);
      }
    }
    expect(shareOf(1, 500_001)).toBe(1);
    expect(shareOf(3, 666_667)).toBe(3);
    expect(shareOf(3_000_000, 666_667)).toBe(2_000_001);
  });

  test('shareOf does not overflow at the highest amounts', () => {
    expect(shareOf(u64.MAX_VALUE, 1_000_000)).toBe(u64.MAX_VALUE);
    expect(shareOf(1 << 63, 500_001)).toBe(4611695241799424759);
    expect(shareOf(1 << 63, 666_667)).toBe(6148917765693862824);
    expect(shareOf(u64.MAX_VALUE, 1)).toBe(18446744073710);
  });

  test('mod128 reduces 128 bits', () => {
    // 2^64 mod 1000 = 616
    expect(mod128(1, 0, 1000)).toBe(616);
    expect(mod128(u64.MAX_VALUE, u64.MAX_VALUE, 1024)).toBe(1023);
    // 2^128 - 1 = 455 mod 1000
    expect(mod128(u64.MAX_VALUE, u64.MAX_VALUE, 1000)).toBe(455);
    expect(mod128(123, 456, 1)).toBe(0);
  });
});
