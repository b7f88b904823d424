/** What the history says of a challenge by how the contract says that it ended. */
export const CHAIN_ENDS = {
  passed: { result: 'valid', reason: '' },
  failed: { result: 'invalid', reason: 'the contract refused its proof' },
  expired: { result: 'noAnswer', reason: 'no proof in time' },
  void: { result: 'void', reason: 'the issuer was no challenger any more, or the chain has no such challenge' },
} as const

export type ChainEnd = (typeof CHAIN_ENDS)[keyof typeof CHAIN_ENDS]['result']
